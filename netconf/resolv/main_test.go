package resolv

import (
	"testing"

	"github.com/lessee/lessee/client/nettest"
)

// TestMain gives the tests a mount namespace of their own.
func TestMain(m *testing.M) { nettest.Main(m) }
