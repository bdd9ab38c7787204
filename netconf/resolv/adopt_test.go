package resolv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// atBoot is a backend that notes elsewhere.
func (p *place) atBoot() *File { return NewFile(p.path, filepath.Join(p.dir, "boot")) }

// adopt is what the next process does first.
func (p *place) adopt(step func(string)) error {
	return Setup{Path: p.path, StateDir: p.dir, Step: step}.Adopt(filepath.Join(p.dir, "boot"))
}

// over demands that everything is as the operator left it, but for the
// directory of the boot, which is empty.
func (p *place) over(when string) {
	p.t.Helper()
	if err := os.Remove(filepath.Join(p.dir, "boot")); err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Fatalf("%s: %v", when, err)
	}
	p.clean(when)
}

func TestWhatABootNotedIsPutBackByWhoComesAfterItWhereverHeDies(t *testing.T) {
	for name, prepare := range places {
		t.Run(name, func(t *testing.T) {
			for n, died := 1, true; died; n++ {
				p := newPlace(t, prepare)
				must(t, errors.Join(p.atBoot().Set("eth0", one.Config), p.atBoot().Set("eth1", two.Config)))
				when := fmt.Sprintf("dead before step %d", n)
				died = p.adoptsAndDies(n)
				must(t, p.adopt(nil)) // the next one
				p.wants(when, one, two)
				must(t, errors.Join(p.file().Set("eth0", one.Config), p.file().Unset("eth1"), p.file().Unset("eth0")))
				p.over(when)
			}
		})
	}
}

func (p *place) adoptsAndDies(n int) (died bool) {
	steps := 0
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(dead); !is {
				panic(r)
			}
			died = true
		}
	}()
	must(p.t, p.adopt(func(string) {
		if steps++; steps == n {
			panic(dead{})
		}
	}))
	return false
}

func TestWhatABootNotedOfAnotherFileSystemIsDropped(t *testing.T) {
	p := newPlace(t, func(p *place) error { return nil })
	must(t, p.atBoot().Set("eth0", one.Config))
	must(t, os.WriteFile(p.path, []byte(operators), 0o644)) // that of the root file system
	p.operators = describe(t, p.path)
	must(t, p.adopt(nil))
	p.over("adopted")
	must(t, errors.Join(p.file().Set("eth0", one.Config), p.file().Unset("eth0")))
	p.clean("in the end")
}

// Who goes down without a word leaves a text that the boot knows nothing of.
func TestWhatStoodThereBeforeABootIsKnownAfterIt(t *testing.T) {
	p := newPlace(t, func(p *place) error { return os.WriteFile(p.path, []byte(operators), 0o644) })
	must(t, errors.Join(p.file().Set("eth0", one.Config), p.atBoot().Set("eth0", changed.Config), p.adopt(nil), p.file().Unset("eth0")))
	p.over("in the end")
}

func TestWhatCannotBeAdoptedStaysWithTheBoot(t *testing.T) {
	p := newPlace(t, func(p *place) error { return os.WriteFile(p.path, []byte(operators), 0o644) })
	boot := filepath.Join(filepath.Dir(p.dir), "boot")
	must(t, NewFile(p.path, boot).Set("eth0", one.Config))
	must(t, os.WriteFile(p.dir, nil, 0o600)) // nothing can be noted there
	if err := (Setup{Path: p.path, StateDir: p.dir}).Adopt(boot); err == nil {
		t.Error("no error")
	}
	must(t, errors.Join(os.Remove(p.dir), NewFile(p.path, boot).Unset("eth0")))
	p.clean("in the end")
}
