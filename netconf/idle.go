package netconf

// Idle reports whether what the plan has of a kind, of the host as a whole, is
// not done as long as others have their way: the host has a name of its own, or
// another link comes first. Why is among what is refused.
func (p Plan) Idle(k Kind) bool {
	switch k {
	case KindHostName:
		return p.Whole.nameIdle
	case KindTimeServer:
		return p.Whole.clockIdle
	case KindTimeZone:
		return p.Whole.zoneIdle
	}
	return false
}
