package system

import (
	"errors"
	"os"
	"time"

	"github.com/lessee/lessee/netconf/program"
)

// usually is how long a program may take. All that are run here ask a service
// for something that it does at once.
const usually = 10 * time.Second

// restart restarts a service, if it runs: in the manner of systemd where that
// is the init system, and else by Debian's script for all others. It does not
// wait for the service: one that waits for the network waits for us.
func restart(service string) error {
	systemctl := "/usr/bin/systemctl"
	switch _, err := os.Stat("/run/systemd/system"); {
	case err == nil && isProgram(systemctl):
		_, err := program.Run(usually, "", systemctl, "--no-block", "--no-ask-password", "try-restart", service+".service")
		return err
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	case isProgram("/usr/sbin/invoke-rc.d") && isProgram("/etc/init.d/"+service):
		_, err := program.Run(usually, "", "/usr/sbin/invoke-rc.d", "--quiet", service, "try-restart")
		return err
	}
	return nil // it reads its files when it starts
}
