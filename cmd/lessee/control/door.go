package control

import "sync"

// A door lets in so many at once, and so many of one user.
type door struct {
	limits Limits

	mu    sync.Mutex
	all   int
	users map[uint32]int
}

// enter lets p in, or tells why not.
func (d *door) enter(p Peer) *cut {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.all >= d.limits.Connections:
		return &cut{reason: TooManyConnections}
	case d.users[p.UID] >= d.limits.PerUser:
		return &cut{reason: TooManyOfOneUser}
	}
	d.all++
	d.users[p.UID]++
	return nil
}

// leave makes room again.
func (d *door) leave(p Peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.users[p.UID]--; d.users[p.UID] == 0 {
		delete(d.users, p.UID)
	}
}
