package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/machine"
	"github.com/lessee/lessee/client/socket"
	"github.com/lessee/lessee/netconf"
	"github.com/lessee/lessee/netconf/hook"
)

// The exit codes, a promise to scripts.
const (
	exitDone         = 0
	exitFailed       = 1 // otherwise
	exitUsage        = 2 // wrong usage or configuration
	exitNoServer     = 3 // no server answered in time
	exitRefused      = 4 // DHCPNAK, or no offer was acceptable
	exitConflict     = 5 // every address offered was in use by another host
	exitNoLink       = 6 // no such interface, or it has no carrier
	exitNotPermitted = 7 // says which capability is needed
	exitNotApplied   = 8 // the lease is good, the host could not be configured; what was changed is undone
)

// A usageError is a mistake in the command line, and the line that would have
// worked.
type usageError struct {
	what string
	try  string
}

func (e *usageError) Error() string { return e.what }

// exitCode sorts an error into the table.
func exitCode(err error) int {
	var usage *usageError
	var obstacle *client.Obstacle
	var script *hook.ScriptError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, netconf.ErrNoLink), errors.Is(err, netconf.ErrNoCarrier),
		errors.Is(err, socket.ErrNoLink), errors.Is(err, client.ErrLinkGone):
		return exitNoLink
	case errors.Is(err, context.Canceled): // by a signal
		return exitFailed
	case errors.As(err, &obstacle):
		return obstacleCode(obstacle)
	case errors.As(err, &script):
		return exitNotApplied
	case errors.Is(err, os.ErrPermission):
		return exitNotPermitted
	}
	return exitFailed
}

// obstacleCode is the code for what stood in the way of a lease.
func obstacleCode(o *client.Obstacle) int {
	switch o.Report.Cause {
	case machine.CauseNoServer:
		return exitNoServer
	case machine.CauseNAK, machine.CauseRefused:
		return exitRefused
	case machine.CauseConflict:
		return exitConflict
	case machine.CauseLinkDown:
		return exitNoLink
	case machine.CauseApplyFailed:
		return exitNotApplied
	}
	return exitFailed
}

// complain prints what went wrong, and what helps where it is known. Nothing
// begins with a capital and nothing ends with a period.
func complain(err error) {
	fmt.Fprintf(os.Stderr, "lessee: %v\n", err)
	var usage *usageError
	if errors.As(err, &usage) && usage.try != "" {
		fmt.Fprintf(os.Stderr, "try: %s\n", usage.try)
	}
}
