package main

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

func TestALadderIsDrawnForEveryTerminal(t *testing.T) {
	now, mac := time.Unix(0, 0), net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for ascii, want := range map[bool]string{
		false: "    0.000 │ INIT → SELECTING\n    0.000 ├─── who? ────────────────────────────────────► broadcast\n    0.000 ◄─── I ───────────────────────────────────────┤ 02:00:00:00:00:01\n          │     message",
		true:  "    0.000 | INIT -> SELECTING\n    0.000 |--- who? ------------------------------------> broadcast\n    0.000 <--- I ---------------------------------------| 02:00:00:00:00:01\n          |     message",
	} {
		var out bytes.Buffer
		l := &ladder{out: &out, ascii: ascii, full: true}
		l.report(now, machine.Report{From: machine.Init, To: machine.Selecting, Cause: machine.CauseSent})
		l.arp(now, true, "who?", nil)
		l.arp(now, false, "I", mac)
		l.dump(&dhcp4.Message{})
		if got := out.String(); len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		l.event(client.Event{Kind: client.Dropped, Reason: machine.WrongXID, Time: now})
		if ascii && bytes.ContainsFunc(out.Bytes(), func(r rune) bool { return r > '~' }) {
			t.Errorf("not ASCII: %q", out.String())
		}
	}
}
