package resolv

import "sync"

// said is what a backend has handed on in its life, by link: what somebody has
// changed since is left alone for as long as there is nothing new to say.
type said struct {
	mu    sync.Mutex
	links map[string]Config
}

// note notes that c was handed on for link.
func (s *said) note(link string, c Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links == nil {
		s.links = map[string]Config{}
	}
	s.links[link] = c
}

// before reports whether c is what was handed on for link last.
func (s *said) before(link string, c Config) bool {
	s.mu.Lock()
	last, ok := s.links[link]
	s.mu.Unlock()
	return ok && last.Equal(c)
}

// forget has the next Set say all of it again.
func (s *said) forget(links ...string) {
	s.mu.Lock()
	for _, link := range links {
		delete(s.links, link)
	}
	s.mu.Unlock()
}

// copied is a copy, for a rehearsal.
func (s *said) copied() map[string]Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Config{}
	for link, c := range s.links {
		out[link] = c
	}
	return out
}
