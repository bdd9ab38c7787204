// Package metrics counts what happens to the links that an agent keeps, and
// writes it in the text forms that Prometheus and its kin read. It decides
// nothing, starts nothing by itself, and keeps no history: a restart begins at
// zero, which is what counters are allowed to do.
//
// # The way of the numbers
//
//	client.Event ──► Observe ───────┐  counters and one histogram, a Link each
//	agent.Event  ──► Told           │
//	the ports    ──► Link.Changed … │
//	                                ▼
//	                            Registry ──► WriteText   OpenMetrics 1.0
//	[]agent.Status ─────────────────┘    ├─► WriteFile   for node_exporter
//	   gauges, as they are at that time  └─► Listener    HTTP GET /metrics
//
// A program has one Registry, made before its agent:
//
//	r := metrics.New(metrics.Config{Version: version, Start: time.Now(), Memory: metrics.ResidentMemory})
//	a := agent.New(agent.Config{Observe: r.Observe, Told: r.Told, Forgotten: r.Forget, ...})
//	...
//	conn, err := socket.Open(link, socket.Config{Dropped: func(err error) {
//		r.Link(name).DroppedFrame(metrics.FrameReason(err))
//	}})
//	...
//	err = r.WriteText(os.Stdout, statuses)
//
// # Two forms
//
// node_exporter's textfile collector reads the older Prometheus text format,
// version 0.0.4, and rejects a whole file that has one of OpenMetrics' new types
// in it (prometheus/node_exporter, issue 1988). So WriteFile writes that, and
// everything else OpenMetrics. Names and labels of the samples are the same in
// both.
//
// # What others can make us say
//
// Label values that come from the network would let anybody on the link make
// new series until the monitoring falls over. There are none: message types,
// reasons and kinds are from fixed lists, and everything else is "other".
//
// # What is left out
//
// The _created samples, which OpenMetrics wishes for: they would nearly double
// the text, and lessee_process_start_time_seconds says the same. And the
// usual names process_start_time_seconds and process_resident_memory_bytes:
// node_exporter has them for itself, and refuses to answer at all when a text
// file brings them a second time.
package metrics
