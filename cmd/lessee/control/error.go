package control

import (
	"errors"
	"fmt"
	"os"
)

// An Error is what the peer at the other end says stood in the way.
type Error struct {
	Name   string // one of the names below, or one of org.varlink.service, in full
	Link   string
	Cause  string // of an Obstacle, in a few fixed words: those of machine.Cause
	Reason string // for people
}

// The names of errors, as agent.varlink has them.
const (
	NameNoSuchLink   = "NoSuchLink"
	NameNotPossible  = "NotPossible"
	NameObstacle     = "Obstacle"
	NameNotPermitted = "NotPermitted"
	NameFailed       = "Failed"

	nameMethodNotFound       = "org.varlink.service.MethodNotFound"
	nameMethodNotImplemented = "org.varlink.service.MethodNotImplemented"
	nameInterfaceNotFound    = "org.varlink.service.InterfaceNotFound"
	nameInvalidParameter     = "org.varlink.service.InvalidParameter"
)

// Errors that commands tell apart: what [*Error] is, by its name.
var (
	ErrNoSuchLink   = errors.New("the agent has no such link")
	ErrNotPossible  = errors.New("not possible now")
	ErrObstacle     = errors.New("something stood in the way")
	ErrNotPermitted = errors.New("not permitted")
	ErrFailed       = errors.New("failed")
	ErrUnsupported  = errors.New("the agent is another version of lessee") // it lacks the method
)

// Error says what stood in the way.
func (e *Error) Error() string {
	text := e.Reason
	switch e.Name {
	case NameNoSuchLink:
		return fmt.Sprintf("%s: %v", e.Link, ErrNoSuchLink)
	case NameNotPermitted:
		text = fmt.Sprintf("%v: %s", ErrNotPermitted, e.Reason)
	}
	if text == "" {
		text = e.Name
	}
	if e.Link != "" {
		text = e.Link + ": " + text
	}
	return text
}

// Is makes errors.Is find the errors above, and os.ErrPermission in what is
// not permitted.
func (e *Error) Is(target error) bool {
	switch e.Name {
	case NameNoSuchLink:
		return target == ErrNoSuchLink
	case NameNotPossible:
		return target == ErrNotPossible
	case NameObstacle:
		return target == ErrObstacle
	case NameNotPermitted:
		return target == ErrNotPermitted || target == os.ErrPermission
	case NameFailed:
		return target == ErrFailed
	case nameMethodNotFound, nameMethodNotImplemented, nameInterfaceNotFound:
		return target == ErrUnsupported
	}
	return false
}

// errorForms are the errors with their parameters, and where those are found.
var errorForms = map[string]map[string]func(*Error) *string{
	NameNoSuchLink:   {"link": linkOf},
	NameNotPossible:  {"link": linkOf, "reason": reasonOf},
	NameObstacle:     {"link": linkOf, "cause": causeOf, "reason": reasonOf},
	NameNotPermitted: {"needed": reasonOf},
	NameFailed:       {"reason": reasonOf},
}

// standardErrors are those of every Varlink service, with their parameter and
// what it means from an agent.
var standardErrors = map[string]struct{ parameter, reason string }{
	nameMethodNotFound:       {"method", unsupported},
	nameMethodNotImplemented: {"method", unsupported},
	nameInterfaceNotFound:    {"interface", unsupported},
	nameInvalidParameter:     {"parameter", "the agent does not accept the parameter %q"},
}

const unsupported = "the agent does not know %s: it is another version of lessee"

func linkOf(e *Error) *string   { return &e.Link }
func causeOf(e *Error) *string  { return &e.Cause }
func reasonOf(e *Error) *string { return &e.Reason }
