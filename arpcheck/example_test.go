package arpcheck_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee/arpcheck"
)

// Check an address, and use it if it is free.
func Example() {
	ifi, err := net.InterfaceByName("eth0")
	if err != nil {
		log.Fatal(err)
	}
	c, err := arpcheck.New(ifi, arpcheck.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()

	ctx, addr := context.Background(), netip.MustParseAddr("192.0.2.7")
	switch holder, err := c.Probe(ctx, addr); {
	case errors.Is(err, arpcheck.ErrNoARP):
		fmt.Println("not checked:", err)
	case err != nil:
		log.Fatal(err)
	case holder != nil:
		log.Fatalf("%v is in use by %v", addr, holder)
	}
	// Configure the address here, then:
	if err := c.Announce(ctx, addr); err != nil {
		log.Print(err)
	}
	if holder, err := c.Watch(ctx, addr); err == nil {
		fmt.Printf("%v is lost to %v\n", addr, holder)
	}
}

// Start from the times of a mode to choose others.
func ExampleMode_Timing() {
	t := arpcheck.Fast.Timing()
	t.Window = 500 * time.Millisecond
	fmt.Printf("%d probes %v to %v apart, verdict after %v\n", t.ProbeNum, t.ProbeMin, t.ProbeMax, t.Window)
	// Output: 3 probes 40ms to 60ms apart, verdict after 500ms
}

func ExampleParseMode() {
	m, err := arpcheck.ParseMode("rfc5227")
	fmt.Println(m, err)
	_, err = arpcheck.ParseMode("thorough")
	fmt.Println(err)
	// Output:
	// rfc5227 <nil>
	// unknown conflict check mode "thorough" (known: ["fast" "rfc5227" "off"])
}
