package netconf

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// AutoMetric is the [Options] Metric that is different for each link, so that
// several on one network do not get in each other's way: by the kind of the
// link, preferring wires, plus its index.
//
//	wired     1000 + index
//	wireless  100000 + index
//	others    200000 + index   (modems, tunnels)
const AutoMetric = -1

// The bases. They are as far apart as an index does not get in years.
const (
	metricWired    = 1000
	metricWireless = 100000
	metricOther    = 200000
)

// OptionsOn returns the options for a link, with the metric that [AutoMetric]
// and the table that [AutoTable] stand for there.
func (c Config) OptionsOn(link string) (Options, error) {
	_, now, err := openKernel(c.Namespace, link)
	if err != nil {
		return c.Options, fmt.Errorf("look at %s: %w", link, err)
	}
	return c.Options.on(now, c.Namespace).beside(c, now.name), nil
}

// on fills in what the link decides.
func (o Options) on(now linkNow, ns *Namespace) Options {
	if o.Metric == AutoMetric {
		o.Metric = autoMetric(now, kindOf(now, ns))
	}
	o.Table = o.tableOf(now)
	return o
}

// autoMetric is the metric for a link of a kind that the kernel's drivers call
// "wlan", "wwan", "bridge", …; most say nothing.
func autoMetric(now linkNow, kind string) int {
	switch {
	case kind == "wlan":
		return metricWireless + now.index
	case !now.wired || kind == "wwan":
		return metricOther + now.index
	}
	return metricWired + now.index
}

// kindOf asks sysfs what a link is. That shows the links of one namespace only;
// for others the question is put to the driver, by the old wireless extensions,
// to which most radios answer still.
func kindOf(now linkNow, ns *Namespace) string {
	if b, err := os.ReadFile("/sys/class/net/" + now.name + "/uevent"); err == nil {
		if kind, ok := kindIn(b, now.index); ok {
			return kind
		}
	}
	if ns.Enter(func() error { return askRadio(now.name) }) == nil {
		return "wlan"
	}
	return ""
}

// kindIn reads DEVTYPE from a uevent file, if it is about the link of that
// index.
func kindIn(uevent []byte, index int) (kind string, ok bool) {
	for line := range bytes.Lines(uevent) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		switch key {
		case "DEVTYPE":
			kind = value
		case "IFINDEX":
			ok = value == fmt.Sprint(index)
		}
	}
	return kind, ok
}

// siocgiwname is SIOCGIWNAME of linux/wireless.h: which protocol a radio
// speaks.
const siocgiwname = 0x8B01

func askRadio(link string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	ifr, err := unix.NewIfreq(link)
	if err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, siocgiwname, ifr)
}
