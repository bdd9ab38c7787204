package arpcheck

import (
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// TestMain gives the tests namespaces of their own: packets leave from nowhere
// else.
func TestMain(m *testing.M) { nettest.Main(m) }
