package hook

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A refusal is a program that is not run, or a folder whose programs are not.
type refusal struct {
	path string
	why  error
}

// Programs tells which programs of a folder are run, in order, and why others
// are not.
func Programs(dir string) (run []string, not []error) {
	run, refused := programs(dir, os.Geteuid())
	for _, r := range refused {
		not = append(not, r.why)
	}
	return run, not
}

// programs returns what is to be run of a folder, in order, and what is not. No
// folder is no program.
func programs(dir string, uid int) (run []string, refused []refusal) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err == nil && len(entries) > 0 {
		err = untrustedFolder(dir, uid)
	}
	if err != nil {
		return nil, []refusal{{dir, err}}
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case isLeftover(e.Name()):
			continue
		case !isName(e.Name()):
			err = fmt.Errorf("the name of %s has more than letters, digits, hyphens and underscores", path)
		default:
			err = Untrusted(path, uid)
		}
		if err != nil {
			refused = append(refused, refusal{path, err})
			continue
		}
		run = append(run, path)
	}
	return run, refused
}
