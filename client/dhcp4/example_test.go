package dhcp4_test

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/client/dhcp4"
)

func ExampleParse() {
	offer := &dhcp4.Message{Op: dhcp4.OpReply, XID: 7, YIAddr: netip.MustParseAddr("192.0.2.77")}
	if err := dhcp4.MsgType.Put(&offer.Options, dhcp4.Offer); err != nil {
		fmt.Println(err)
	}
	datagram, err := offer.Append(nil)
	if err != nil {
		fmt.Println(err)
	}
	msg, err := dhcp4.Parse(datagram)
	fmt.Println(msg, err)
	// Output: DHCPOFFER xid=0x00000007 yiaddr=192.0.2.77 <nil>
}

func ExampleOption_Get() {
	var options dhcp4.Options
	options.Put(dhcp4.Routers.Code, []byte{192, 0, 2, 1, 9})
	_, err := dhcp4.Routers.Get(options)
	fmt.Println(err)
	_, err = dhcp4.DNS.Get(options)
	fmt.Println(errors.Is(err, dhcp4.ErrUnset))
	// Output:
	// option 3 (routers): 5 bytes, want a multiple of 4
	// true
}
