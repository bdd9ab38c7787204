package resolv

// sortOut lets the first of our links answer for all names, and the others for
// their own domains only: asked all at once, the one that answers first would
// decide. As long as there was only one, nothing is said of it. One may be left
// out, because it is about to go.
func (r *Resolved) sortOut(t talk, l *ledger, but string) error {
	type word struct {
		*entry
		answers bool
	}
	var words []word
	first := true
	for _, p := range byMetric(l.parts()) {
		e := l.find(p.Link)
		if p.Link == but || len(e.Ours.Servers) == 0 || e.Revert != nil {
			continue
		}
		now, err := t.look(e.Index)
		if err != nil || !e.isOurs(now.linkNames) {
			continue // gone, or somebody else's now
		}
		if now.Default != first {
			words = append(words, word{e, first})
		}
		first = false
	}
	if len(words) == 0 || len(l.Links) == 1 && !l.Links[0].Routed {
		return nil
	}
	for _, w := range words {
		w.Routed = true
	}
	err := r.book().save(l)
	for _, w := range words {
		if err == nil {
			err = t.change("SetLinkDefaultRoute", w.Index, "b", w.answers)
		}
	}
	return err
}
