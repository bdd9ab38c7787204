package metrics

// perLink are the plain counters.
var perLink = [counters]family{
	sendErrors:        {"lessee_send_errors", counterKind, "", "Messages that could not be sent."},
	leasesBound:       {"lessee_leases_bound", counterKind, "", "Leases granted, checked and put to use, verified ones included."},
	leasesUnconfirmed: {"lessee_leases_unconfirmed", counterKind, "", "Remembered leases used although no server answered."},
	renewals:          {"lessee_renewals", counterKind, "", "Leases extended by their own server, asked by unicast."},
	rebindings:        {"lessee_rebindings", counterKind, "", "Leases extended by any server, asked by broadcast."},
	expiries:          {"lessee_lease_expiries", counterKind, "", "Leases that ended because nobody extended them in time."},
	naks:              {"lessee_naks", counterKind, "", "Leases refused by a server (DHCPNAK)."},
	conflicts:         {"lessee_conflicts", counterKind, "", "Addresses found in use by another host."},
	unanswered:        {"lessee_unanswered", counterKind, "", "Times that waiting for a server was in vain."},
	offersRefused:     {"lessee_offers_refused", counterKind, "", "Offers that were not acceptable."},
	applyFailures:     {"lessee_apply_failures", counterKind, "", "Times that the host could not be configured as a lease says."},
	changes:           {"lessee_applied_changes", counterKind, "", "Changes made to the host: addresses, routes, MTU, resolver."},
	hookFailures:      {"lessee_hook_failures", counterKind, "", "Hooks that could not be run, failed, or took too long."},
	flaps:             {"lessee_link_flaps", counterKind, "", "Losses of the carrier that lasted long enough to count."},
	restarts:          {"lessee_client_restarts", counterKind, "", "Times that a link's client could not begin, or ended by itself, and is begun anew."},
	panics:            {"lessee_client_panics", counterKind, "", "Restarts because of a panic."},
}

// The families with further labels.
var (
	messagesFamily = family{"lessee_messages", counterKind, "", "DHCP messages by direction and type."}
	droppedFamily  = family{"lessee_dropped_messages", counterKind, "", "Messages received and not used, by reason."}
	framesFamily   = family{"lessee_dropped_frames", counterKind, "", "Frames dropped before they were messages, by reason."}
	troublesFamily = family{"lessee_troubles", counterKind, "", "Failures beside the exchange with servers, by kind."}
	leaseFamily    = family{"lessee_time_to_lease_seconds", histogramKind, "seconds", "Time from the first message of an acquisition until the lease was in use."}
)

// What is taken from the status at the time of writing.
var (
	stateFamily    = family{"lessee_link_state", gaugeKind, "", "1 for the state that the link is in, 0 for the others."}
	carrierFamily  = family{"lessee_link_carrier", gaugeKind, "", "Whether the link has a carrier."}
	pausedFamily   = family{"lessee_link_paused", gaugeKind, "", "Whether the link is paused by command."}
	heldFamily     = family{"lessee_lease_held", gaugeKind, "", "Whether a lease is in use on the link, also while it is verified."}
	leftFamily     = family{"lessee_lease_seconds_left", gaugeKind, "", "Seconds until the lease expires; absent without a lease and for one that never does."}
	durationFamily = family{"lessee_lease_duration_seconds", gaugeKind, "seconds", "Length of the lease as granted; absent without a lease and for one that never expires."}
)

// What is about the program.
var (
	buildFamily  = family{"lessee_build", infoKind, "", "The program."}
	startFamily  = family{"lessee_process_start_time_seconds", gaugeKind, "seconds", "When the program started, in Unix time."}
	memoryFamily = family{"lessee_process_resident_memory_bytes", gaugeKind, "bytes", "Memory resident."}
)
