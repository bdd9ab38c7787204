package config

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/lessee/lessee/netconf/hook"
)

// What runs when something happens to a link.

func setHooksDir(t *target, words []string) error {
	if t.link.HooksDir = words[0]; words[0] == "none" {
		t.link.HooksDir = ""
	}
	return absolute(t.link.HooksDir)
}

// absolute refuses a path that means one thing to who looks at a program, and
// another to who runs it: that is done in the folder /.
func absolute(path string) error {
	if path != "" && !filepath.IsAbs(path) {
		return errors.New("want a path that begins with /")
	}
	return nil
}

// maxHookTimeout bounds how long a link's next event, and the end of the
// process, may have to wait.
const maxHookTimeout = time.Hour

func setHookTimeout(t *target, words []string) (err error) {
	t.link.HookTimeout, err = ParseDuration(words[0])
	if err == nil && (t.link.HookTimeout == 0 || t.link.HookTimeout > maxHookTimeout) {
		err = errors.New("want more than 0 and at most 1h")
	}
	return err
}

func setHookStyle(t *target, words []string) (err error) {
	t.link.HookStyle, err = hook.ParseStyle(words[0])
	return err
}

// setHookScript relies on hook-style, which is set before.
func setHookScript(t *target, words []string) error {
	if t.link.HookScript = words[0]; words[0] == "" {
		t.link.HookScript = t.link.HookStyle.Script()
	}
	return absolute(words[0])
}
