package machine_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/machine"
)

// The machine says what is to be done, and when it wants to be asked again.
func ExampleMachine_Step() {
	m, err := machine.New(machine.Config{
		Link: machine.Link{HType: dhcp4.HTypeEthernet, CHAddr: dhcp4.HardwareAddr{2, 0, 0, 0, 0, 1}},
		Rand: rand.New(rand.NewPCG(1, 2)),
	})
	if err != nil {
		panic(err)
	}
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, out := range m.Step(now, machine.Start{}) {
		switch out := out.(type) {
		case machine.Send:
			fmt.Println("send", out.Message.Type())
		case machine.Report:
			fmt.Println(out.From, "to", out.To)
		}
	}
	wait := m.Deadline().Sub(now)
	fmt.Println("again in 3 to 5 s:", wait >= 3*time.Second && wait < 5*time.Second)
	// Output:
	// IDLE to INIT
	// send DHCPDISCOVER
	// INIT to SELECTING
	// again in 3 to 5 s: true
}
