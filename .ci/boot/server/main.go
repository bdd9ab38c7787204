// Server is a DHCP server for guests. It grants leases that are shorter than
// other servers allow, holds to them whatever the wall clock says, and writes a
// line for each message that comes:
//
//	seconds since boot, type, source, destination
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/dhcptest"
)

func main() {
	link := flag.String("link", "lan0", "the link to serve")
	lease := flag.Duration("lease", time.Hour, "how long leases are")
	renewal := flag.Duration("renewal", 0, "when they are to be renewed; 0: the server does not say")
	flag.Parse()
	if err := serve(*link, *lease, *renewal); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func serve(link string, lease, renewal time.Duration) error {
	srv, err := dhcptest.NewServer(dhcptest.Config{
		LeaseTime:     dhcp4.Lifetime(lease.Seconds()),
		T1:            dhcp4.Lifetime(renewal.Seconds()),
		Options:       dhcptest.MustOptions("routers=192.0.2.1", "domain-name-servers=192.0.2.53"),
		Authoritative: true,
	})
	if err != nil {
		return err
	}
	srv.Always(func(next dhcptest.Handler) dhcptest.Handler {
		return func(x *dhcptest.Exchange) []dhcptest.Reply {
			fmt.Println(sinceBoot(), x.Request.Type(), x.Src, x.Dst)
			return next(x)
		}
	})
	l, err := srv.Listen(link)
	if err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, unix.SIGTERM)
	<-end
	return l.Close()
}

// sinceBoot is in seconds. The wall clock may be set while we serve.
func sinceBoot() string {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return "?"
	}
	return fmt.Sprintf("%.2f", time.Duration(ts.Nano()).Seconds())
}
