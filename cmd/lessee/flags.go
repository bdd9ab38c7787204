package main

import (
	"time"

	"github.com/urfave/cli/v2"
)

// The flags, by what they are about. Every command takes the groups that mean
// something to it.

func outputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "of what is printed: `text`, json, or env (lines that a POSIX shell can eval)"},
		&cli.StringFlag{Name: "log-level", Value: "warn", Usage: "error, `warn`, info or debug; debug shows every packet, and why one was dropped"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`text` or json"},
		&cli.BoolFlag{Name: "trace", Usage: "draw the exchange as it happens"},
		&cli.BoolFlag{Name: "trace-options", Usage: "with --trace: every message in full"},
		&cli.StringFlag{Name: "pcap", Usage: "keep all packets in `FILE`, for Wireshark"},
	}
}

func waitFlags(timeout time.Duration) []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "timeout", Value: timeout, Usage: "for all together"},
	}
}

func stateFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "state-dir", Value: "/var/lib/lessee", Usage: "where leases are remembered, in `DIR`"},
		&cli.StringFlag{Name: "run-dir", Value: "/run/lessee", Usage: "for locks, in `DIR`"},
	}
}

func identityFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "client-id", Value: "mac", Usage: "option 61: `mac` (hardware type and address), duid (RFC 4361), none, or hexadecimal digits"},
		&cli.StringFlag{Name: "hostname", Usage: "option 12: `NAME`, or none; default: this host's name"},
		&cli.StringFlag{Name: "vendor-class", Usage: "option 60: `TEXT`"},
		&cli.StringSliceFlag{Name: "user-class", Usage: "option 77: `TEXT`; may be repeated"},
		&cli.StringSliceFlag{Name: "option", Usage: "send `NAME=VALUE` too, by the option's name or number (lessee options lists them); may be repeated"},
		&cli.StringSliceFlag{Name: "request", Usage: "ask for option `NAME` too; may be repeated"},
		&cli.BoolFlag{Name: "broadcast", Usage: "ask servers to broadcast their answers"},
	}
}

func choiceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "request-address", Usage: "wish for `ADDRESS` (option 50)"},
		&cli.StringFlag{Name: "lease-time", Usage: "wish for a lease of `TIME` (option 51), such as 1h or infinite"},
		&cli.StringSliceFlag{Name: "require", Usage: "refuse offers without option `NAME`; may be repeated"},
		&cli.StringSliceFlag{Name: "allow-server", Usage: "take offers from server `ADDRESS` (or prefix) only; may be repeated"},
		&cli.StringSliceFlag{Name: "deny-server", Usage: "take no offers from server `ADDRESS` (or prefix); may be repeated"},
	}
}

func hostFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "metric", Usage: "of all routes"},
		&cli.StringFlag{Name: "resolv-conf", Value: "/etc/resolv.conf", Usage: "write name servers to `FILE`; none leaves them alone"},
		&cli.BoolFlag{Name: "ms-routes", Usage: "follow option 249 where option 121 is missing"},
		&cli.BoolFlag{Name: "no-mtu", Usage: "leave the link's MTU alone"},
	}
}

func join(groups ...[]cli.Flag) (all []cli.Flag) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}
