// Package netconf makes a Linux host hold what a lease says, and takes it away
// again.
//
//	lease ──PlanFor──► Plan ─┐
//	record, kernel ──► view ─┴─diff──► changes ──► netlink
//
// [PlanFor] is a function: what the host should hold for a lease, from which
// option each of it is, and what of the lease is not followed, with a reason for
// each. Which routes are followed is a [RoutePolicy]; routes.md says what it
// protects from. [Host.Apply] compares the plan with what of ours the kernel
// has, and changes the difference, new before old. What somebody took away is
// put back. If one change fails, all that this call changed is taken back.
// [Host.Withdraw] undoes everything. [Host.Difference] tells what Apply would do.
//
//	h, err := netconf.Open("eth0", netconf.Config{RunDir: "/run/lessee", StateDir: "/var/lib/lessee", ResolvConf: "/etc/resolv.conf"})
//	err = h.Up(ctx)
//	err = h.Apply(ctx, lease)     // and again with each renewal
//	err = h.Withdraw(ctx, lease)
//	err = h.Down()
//
// # Whose it is
//
// What the operator configured is never touched: an address or a route that is
// there already is used and left alone. What the kernel takes along with
// something of ours is put back: other addresses of the subnet, and with a
// link's last address all routes by it and all permanent neighbours. Everything
// of ours carries protocol "dhcp" in the kernel. An address with that mark and
// without a prefix route is ours, and so is a route with that mark that the
// record names or whose source is an address of ours; other programs mark their
// routes in the same way. A rule with that mark is ours if the record names it,
// or its table is one that only we use (see [SourceRouting]).
//
// # The host as a whole
//
// Its name, its time servers and its time zone are not the link's, and links
// share them: package system, below. None of that is a reason to have no
// address, and what others have their way in is refused in the plan, which
// knows of them if its options come from [Host.Options] or [Config.OptionsOn].
//
// # Dying at any instruction
//
// All that a call is going to change is written to a record in the run
// directory before its first change, so that another process can undo it, also
// after this one was killed. The record may name what was not done, and never
// lacks what was; the kernel says which of it is there. Where the record cannot
// be written the configuration goes on, and the kernel's marks have to do.
// [Host.Leftover] tells a new process that there is something to take over or
// to withdraw. A record ends with the boot that it is about; what stood in the
// resolver's file does not, and is kept in the state directory (package resolv,
// below).
//
// Addresses get the lease's lifetime. If whoever manages the lease dies and
// nobody comes after it, the kernel takes the address away at expiry, and the
// routes of the main table or the link's VRF with it. What is in other tables
// stays, and so does a rule: both lead nowhere without the address, and the next
// process takes them away.
//
// # Many links
//
// Links may live in other network namespaces. A [Namespace] is a way in, and a
// netlink socket that all links in it share. [WatchLinks] tells what links there
// are, what becomes of them, and when something of a link's configuration may
// have been taken away: [Host.Repair] puts that back, a limited number of times.
// [Host.Rename] follows a link that gets another name. With [AutoMetric] several
// links on one network do not get in each other's way.
//
// # Where to change what
//
//	what a lease asks for     plan.go says what a Plan is, planner.go makes it: policy.go
//	                          (routes), plannames.go (resolvers), whole.go (the host's name,
//	                          clock and zone), metric.go, table.go, source.go
//	what there is, and whose  view.go
//	what is done, in order    apply.go and withdraw.go; routes.go, diff.go and anchor.go
//	                          (routes), mtu.go, arpfilter.go, names.go, system.go
//	what would be done        difference.go
//	what comes back           repair.go (ours), keepsake.go (others')
//	what is written down      record.go, rename.go, lost.go; what is told, once: journal.go
//	links that come and go    watch.go, watch_one.go, touch.go, namespace.go
//	the kernel                kernel.go is what this package wants of it; only the files
//	                          that end in _linux.go speak netlink
package netconf
