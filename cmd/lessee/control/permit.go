package control

import "fmt"

// mayChange tells what a peer lacks to call a method that changes something;
// it is empty if nothing. Reading needs no more than to have got to the socket:
// its mode decides who does.
func mayChange(p Peer, owner uint32) (needed string) {
	if p.UID == 0 || p.UID == owner {
		return ""
	}
	who := "root"
	if owner != 0 {
		who = fmt.Sprintf("root or user %d, as whom the agent runs", owner)
	}
	return fmt.Sprintf("only %s may change something, this is user %d (sudo helps)", who, p.UID)
}
