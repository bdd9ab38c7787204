package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client"
	"github.com/lessee/lessee/client/store"
	"github.com/lessee/lessee/cmd/lessee/config"
)

// A lease that one command got is extended and given back by others. To servers
// and to the host they go on as it was told, with whatever it had for flags; the
// agent, and whoever gets a lease, begin with what stands in the file.

// asItWasGot is said of them in help.
const asItWasGot = `
What the command was told that got the lease, such as --metric, --client-id or
--hooks-dir, holds for it until it ends, unless a flag says otherwise now, or the
configuration file says something else than it did then.
`

// onLease wraps what a command does for the lease that a link has.
func onLease(do func(ctx context.Context, s *settings) error) cli.ActionFunc {
	return forLink(recallSettings, do)
}

// recallSettings reads the settings of such a command.
func recallSettings(c *cli.Context) (*settings, error) {
	s, err := readSettings(c)
	if err != nil {
		return s, err
	}
	f, known := former(s.stateDir, s.runDir, s.conf.Name)
	if !known {
		return s, nil
	}
	if _, named := s.flags["client-id"]; !named {
		s.formerID = &f.ClientID
	}
	flags, err := recall(s.file, s.conf.Name, f, s.flags)
	if err != nil {
		s.log.Warn("what the command was told that got the lease is not followed", "link", s.link, "error", err)
	}
	r := &flagReader{c: c}
	r.configure(s, s.file, flags)
	return s, r.err
}

// former is what is remembered of who got the lease that a link has. That of the
// boot may not have been taken over yet.
func former(stateDir, runDir, link string) (f store.Former, known bool) {
	now := client.BootTime()
	for _, dir := range []string{stateDir, bootDir(runDir)} {
		if one, is := store.LoadFormer(dir, link, now); is && (!known || one.Lease.Start.After(f.Lease.Start)) {
			f, known = one, true
		}
	}
	return f, known
}

// recall adds the flags of who got the lease to those of now. If they cannot be
// followed together, those of now stand alone.
func recall(file *config.File, link string, f store.Former, flags config.Flags) (config.Flags, error) {
	if f.Settings == nil {
		return flags, nil
	}
	var r config.Remembered
	if err := json.Unmarshal(f.Settings, &r); err != nil {
		return flags, fmt.Errorf("remembered settings: %w", err)
	}
	all := file.Recall(link, r, flags)
	if _, err := file.Link(link, all); err != nil {
		return flags, err
	}
	return all, nil
}

// maxRemembered bounds, in bytes, what is remembered of flags: with a lease that
// has all options it has to fit into what the store reads, where each word has a
// line of its own.
const maxRemembered = 16 << 10

// toRemember is what is saved beside a lease that this command gets or extends.
func (s *settings) toRemember() json.RawMessage {
	r := s.file.Remember(s.conf.Name, s.flags)
	if len(r) == 0 {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil || len(text) > maxRemembered {
		s.log.Warn("flags are not remembered", "link", s.link, "bytes", len(text), "error", err)
		return nil
	}
	return text
}
