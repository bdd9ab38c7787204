// Package netconf makes a Linux host hold what a lease says, and takes it away
// again.
//
//	lease ──PlanFor──► Plan ──diff──► changes ──► netlink
//
// [PlanFor] is a function: what the host should hold for a lease, and what of
// the lease is not followed, with a reason for each. [Host.Apply] compares that
// with what it made the host hold before, and changes the difference, new
// before old. If one change fails, all that this call changed is taken back.
// [Host.Withdraw] undoes everything.
//
// What was changed is kept in a record on disk, written before each change, so
// that another process can undo it, also after this one was killed. What the
// operator configured is never touched: an address or a route that is there
// already is used and left alone, and everything of ours carries protocol
// "dhcp" in the kernel.
//
// Addresses get the lease's lifetime. If whoever manages the lease dies, the
// kernel takes the address away at expiry, and the routes with it.
//
// Only netlink_linux.go and watch_linux.go speak to the kernel. Package resolv,
// below, writes the resolver's configuration.
package netconf
