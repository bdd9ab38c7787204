package netconf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// The kernel counts lifetimes, notices carriers when it has time, and tells a
// link's queue only when it has one.
var passing = regexp.MustCompile(` +valid_lft \S+ preferred_lft \S+| qdisc \S+| qlen \d+|NO-CARRIER,|,LOWER_UP| state \S+`)

// full is everything that the kernel has in the host's namespace: links with
// flags and MTU, addresses, routes of all tables, rules, permanent neighbours,
// and parameters of IPv4. And the resolver's file.
func (r *rig) full() string {
	r.t.Helper()
	text, err := os.ReadFile(r.resolvConf())
	r.must(err)
	return r.inKernel() + string(text)
}

func (r *rig) inKernel() string {
	r.t.Helper()
	var b strings.Builder
	r.m.Must(func() error {
		cmd := exec.Command("ip", "-4", "-o", "-batch", "-")
		cmd.Stdin = strings.NewReader("link show\naddress show\nroute show table all\nrule show\nneighbour show nud permanent\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip: %w: %s", err, out)
		}
		b.Write(passing.ReplaceAll(out, nil))
		files, err := filepath.Glob("/proc/sys/net/ipv4/conf/*/[afr][pro][pr_w]*") // arp_…, rp_filter, forwarding
		for _, f := range files {
			if text, err := os.ReadFile(f); err == nil && strings.TrimSpace(string(text)) != "0" { // some are for writing
				fmt.Fprintf(&b, "%s %s", strings.TrimPrefix(f, "/proc/sys/net/ipv4/conf/"), text)
			}
		}
		return err
	})
	return b.String()
}

// isFull demands that the host is as it was.
func (r *rig) isFull(when, want string) {
	r.t.Helper()
	if got := r.full(); got != want {
		r.t.Fatalf("%s:\n%s", when, difference(want, got))
	}
}

// difference are the lines that one of two texts has.
func difference(want, got string) string {
	count := map[string]int{}
	for l := range strings.Lines(want) {
		count[l]--
	}
	for l := range strings.Lines(got) {
		count[l]++
	}
	var b strings.Builder
	for l, n := range count {
		if n != 0 {
			fmt.Fprintf(&b, "%+d %s", n, l)
		}
	}
	if b.Len() == 0 {
		return "the lines are in another order:\n" + got
	}
	return b.String()
}
