package netconf

import "fmt"

// The kinds of what is told once, and again only after it was over.
const (
	toldRecord    = "record"
	toldResolver  = "resolver"
	toldManaged   = "managed"
	toldAddress   = "address"
	toldMTU       = "mtu"
	toldRefused   = "refused"
	toldSource    = "source routing"
	toldContested = "contested"
	toldNetworkd  = "networkd"
)

// news reports whether text is not what was told of this kind before. Renewals
// come for years, and what was wrong the first time mostly stays so.
func (h *Host) news(kind, text string) bool {
	if h.told == nil {
		h.told = map[string]string{}
	}
	is := h.told[kind] != text
	h.told[kind] = text
	return is
}

// trouble tells of a failure that is no reason to have no address; nil ends
// it.
func (h *Host) trouble(kind, what string, err error) {
	if err == nil {
		h.news(kind, "")
		return
	}
	if !h.news(kind, "failed") {
		return
	}
	h.cfg.Log.Warn(what, "link", h.link, "error", err)
	if h.cfg.Trouble != nil {
		h.cfg.Trouble(fmt.Errorf("%s: %s: %w", h.link, what, err))
	}
}
