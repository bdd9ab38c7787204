// Package config is what lessee is told to do: the table of all settings, the
// file that they are read from, and what holds for one link when file and
// command line are put together.
//
// It opens one file and nothing else. It asks neither the kernel nor the
// network, so that what a file means can be shown for links that are not there
// and by people who are not root. Flags are not parsed here: the command hands
// over what was given, by name.
//
// # The way of a value
//
//	rows (link.go, agent.go)     one row a setting: its name, as key and as
//	  │                          flag, its default, and what it sets
//	  │    file ──toml──► tables (tables.go)   what stands where (locate.go),
//	  │                     │                  what is wrong with it (mistake.go)
//	  ▼                     ▼
//	resolve (resolve.go)    default < [defaults] < [link."en*"] < [link.eth0] < flag
//	  │
//	  ├──► Link, Agent      typed, for those who do it
//	  └──► []Value          as text, each with its [Origin], for those who ask
//
// Of the tables that match a link the more exact one wins: a name wins over
// patterns, and of two patterns the one that stands later in the file. A list
// replaces the list before it, and so does a table of options. Those stand in a
// table below the link's ([Setting].In), and are a list of NAME=VALUE as words.
//
// A file is read whole or not at all. Everything that is wrong with it is told
// at once, in the order of the lines, with the name that was probably meant.
//
//	f, err := config.Load("/etc/lessee/lessee.toml")
//	...
//	eth0, err := f.Link("eth0", config.Flags{"metric": {Flag: "metric", Values: []string{"100"}}})
//	agent, err := f.Agent(nil)
//
// To reload, load again, and compare: a link whose [Link.Equal] holds has
// nothing to notice.
//
// # To add a setting
//
// Add a row to link.go or agent.go, and its field. Flag, key, help, `config
// show` and the checks follow from it; a test asks for a line in
// examples/lessee.toml.
package config
