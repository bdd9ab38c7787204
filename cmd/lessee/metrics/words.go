package metrics

import (
	"slices"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/cmd/lessee/agent"
)

// words are all values that a label may have. The last one stands for whatever
// is not among them, so that nobody can make new ones.
type words []string

const other = "other"

// index finds a word, or the last one.
func (w words) index(word string) int {
	if i := slices.Index(w, word); i >= 0 {
		return i
	}
	return len(w) - 1
}

// The directions of a message.
const (
	sent = iota
	received
)

var directions = [2]string{sent: "sent", received: "received"}

// messageTypes are what a message may be; its index is the type less one.
var messageTypes = func() (w words) {
	for t := dhcp4.Discover; t <= dhcp4.ForceRenew; t++ {
		w = append(w, t.String())
	}
	return append(w, other)
}()

func typeIndex(t dhcp4.MessageType) int {
	if t < dhcp4.Discover || t > dhcp4.ForceRenew {
		return len(messageTypes) - 1
	}
	return int(t - dhcp4.Discover)
}

// ordinary are the messages that every client may send and receive. They are
// shown from zero on, so that the first one is seen to be an increase.
var ordinary = [2][]dhcp4.MessageType{
	sent:     {dhcp4.Discover, dhcp4.Request, dhcp4.Decline, dhcp4.Release, dhcp4.Inform},
	received: {dhcp4.Offer, dhcp4.ACK, dhcp4.NAK},
}

// dropReasons are why a message is not used.
var dropReasons = words{
	string(machine.NotReply), string(machine.WrongXID), string(machine.WrongCHAddr),
	string(machine.WrongClientID), string(machine.NotExpected), string(machine.NoServerID),
	string(machine.WrongServer), string(machine.ServerNotAllowed), string(machine.WrongYIAddr),
	string(machine.BadLease), string(machine.LacksOption), string(machine.TooMany), other,
}

// states are those of the machine and the agent's own. Here nothing stands for
// the rest.
var states = []string{
	machine.Idle.String(), machine.Init.String(), machine.Selecting.String(), machine.Requesting.String(),
	machine.InitReboot.String(), machine.Rebooting.String(), machine.Checking.String(), machine.Applying.String(),
	machine.Bound.String(), machine.Renewing.String(), machine.Rebinding.String(), machine.Informing.String(),
	agent.Absent, agent.Locked, agent.Failed,
}
