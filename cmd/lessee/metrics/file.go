package metrics

import (
	"fmt"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/lessee/lessee/cmd/lessee/agent"
)

// WriteFile replaces the file at path by all metrics, in the format that
// node_exporter's textfile collector reads. Who reads the file sees the old text
// or the new one, and never a part: the new one is written beside it, under a
// name that the collector does not look at, and takes its place when complete.
// Everybody may read it, whatever the umask, since the collector is seldom run
// by root.
func (r *Registry) WriteFile(path string, list []agent.Status) error {
	b := r.render(list, true)
	if err := renameio.WriteFile(path, b, 0o644, renameio.WithTempDir(filepath.Dir(path)), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("write metrics to %s: %w", path, err)
	}
	return nil
}
