// Package store remembers leases on disk, one readable JSON file a link, so
// that a host asks for its old address after a restart (RFC 2131, section 3.2)
// and can give it back from another process.
//
// A file is written atomically and durably: whoever reads sees the old one or
// the new one, also after a power cut. It carries a checksum. A file that is
// broken, or not ours, is set aside under another name with a warning, and
// never a reason to fail.
//
// Beside the lease a file may hold what whoever got it was told ([Link.Settings]),
// for those that extend it or give it back ([LoadFormer]).
//
// # Time
//
// A lease must never last longer than the server said, whatever happens to
// clocks. Within one boot of the kernel the time since saving is measured by
// CLOCK_BOOTTIME, which nobody can set. Across boots there is only the wall
// clock: if it stands before the time of saving, the lease is a [Remembered]
// that is not Usable, a hint at best.
//
// # Identity
//
// [LoadIdentity] keeps the host's DUID (RFC 4361), made once and then kept
// whatever hardware changes. It does not come from the machine id, so images
// with an empty or shared one are safe; but whoever makes an image must not
// copy the state directory into it, or all clones are one host to a server.
package store
