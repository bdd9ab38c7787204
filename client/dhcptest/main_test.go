package dhcptest_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/lessee/lessee/client/nettest"
)

func TestMain(m *testing.M) { nettest.Main(careful{m}) }

// careful fails if a goroutine is left when all tests are done.
type careful struct{ m *testing.M }

func (c careful) Run() int {
	code := c.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
