package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcptest"
	"github.com/lessee/lessee/client/nettest"
)

// A bootBench is a host with links, each of which has a server of its own at
// the other end, in 198.51.N.0/24, N being 0 for the first. The links are down.
type bootBench struct {
	t       *testing.T
	net     *nettest.Net
	host    *nettest.Machine
	dir     string
	remotes map[string]*nettest.Machine
	servers map[string]*dhcptest.Server
}

func newBootBench(t *testing.T, links ...string) *bootBench {
	t.Helper()
	b := &bootBench{t: t, net: nettest.New(t), dir: t.TempDir(), remotes: map[string]*nettest.Machine{}, servers: map[string]*dhcptest.Server{}}
	b.host = b.net.Host("host")
	if err := unix.Mount("tmpfs", varLib, "tmpfs", 0, ""); err != nil { // seen by this test alone
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(varLib, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	for _, link := range links {
		b.connect(link)
		if err := b.host.SetDown(link); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// varLib is above where lessee keeps what outlives a boot.
const varLib = "/var/lib"

// twoTries is time for a second DHCPDISCOVER (RFC 2131, section 4.1), and some
// more: a server's end that has just got its carrier may lose the first answer,
// as long as a busy kernel has no time to tell its queue.
const twoTries = "8s"

// connect adds a link that is up.
func (b *bootBench) connect(link string) {
	b.t.Helper()
	n := len(b.remotes)
	remote := b.net.Host("remote" + link)
	b.net.Connect(b.host, link, remote, "eth0")
	remote.Addr("eth0", fmt.Sprintf("198.51.%d.1/24", n))
	b.remotes[link] = remote
	b.servers[link] = serve(b.t, remote, dhcptest.Config{
		Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, byte(n), 0}), 24), First: netip.AddrFrom4([4]byte{198, 51, byte(n), 10}), Last: netip.AddrFrom4([4]byte{198, 51, byte(n), 20}),
		Options: dhcptest.MustOptions(fmt.Sprintf("routers=198.51.%d.1", n), "domain-name-servers=192.0.2.53", "root-path=/srv/it's"),
	})
}

// command is lessee acquire --boot, with its directories in the test's own and
// a command line of the kernel's that the test has.
func (b *bootBench) command(ctx context.Context, kernel string, args ...string) *exec.Cmd {
	b.t.Helper()
	line := filepath.Join(b.dir, "cmdline")
	if err := os.WriteFile(line, []byte(kernel+"\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	args = append([]string{"acquire", "--boot", "--run-dir", filepath.Join(b.dir, "run"), "--net-conf-dir", b.dir,
		"--resolv-conf", b.path("resolv.conf"), "--kernel-args", line, "--probe", "off", "--config", "none"}, args...)
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asLessee+"=1")
	return cmd
}

func (b *bootBench) path(name string) string { return filepath.Join(b.dir, name) }

// boot runs it.
func (b *bootBench) boot(kernel string, args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := b.command(ctx, kernel, args...)
	return ran(b.t, b.host, cmd)
}

// must runs another program on the host, or lessee with another command.
func (b *bootBench) must(name string, args ...string) string {
	b.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), asLessee+"=1"), &out, &out
	if err := b.host.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		b.t.Fatalf("%v: %v\n%s", cmd, err, out.String())
	}
	return out.String()
}

// want runs it and compares its exit code, and a part of what it says, with more
// time where that was over too soon, as bench.want does.
func (b *bootBench) want(code int, said, kernel string, args ...string) result {
	b.t.Helper()
	for {
		r := b.boot(kernel, args...)
		if r.code == code && strings.Contains(r.out+r.stderr, said) {
			return r
		}
		more := longer(args)
		if r.code != exitNoServer && r.code != exitNoLink || r.code == code || more == nil {
			b.t.Fatalf("%q %v: exit %d, want %d and %q\n%s%s", kernel, args, r.code, code, said, r.out, r.stderr)
		}
		args = more
	}
}

// eventually waits until something holds.
func (b *bootBench) eventually(what string, holds func() bool) {
	b.t.Helper()
	(&bench{t: b.t}).eventually(what, holds)
}

// bound are the links that have an address, those that are up, and those that
// scripts are told of.
func (b *bootBench) bound(links ...string) (bound, up, told []string) {
	b.t.Helper()
	for _, link := range links {
		if len(b.host.AddrsOf(link)) > 0 {
			bound = append(bound, link)
		}
		ifi, err := b.host.Interface(link)
		if err != nil {
			b.t.Fatal(err)
		}
		if ifi.Flags&net.FlagUp != 0 {
			up = append(up, link)
		}
		if _, err := os.Stat(b.path("net-" + link + ".conf")); err == nil {
			told = append(told, link)
		}
	}
	return bound, up, told
}

// only checks that these links are bound, up, and told of, and no others.
func (b *bootBench) only(want ...string) {
	b.t.Helper()
	var links []string
	for link := range b.remotes {
		links = append(links, link)
	}
	slices.Sort(links)
	bound, up, told := b.bound(links...)
	if !slices.Equal(bound, want) || !slices.Equal(up, want) || !slices.Equal(told, want) {
		b.t.Errorf("bound %v, up %v, told %v, want %v", bound, up, told, want)
	}
}
