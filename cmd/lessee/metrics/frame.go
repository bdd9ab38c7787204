package metrics

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/lessee/lessee/client/dhcp4"
	"github.com/lessee/lessee/client/socket"
)

// A cause couples an error with the word that it is counted under.
type cause struct {
	err  error
	word string
}

// frameCauses are why a frame is dropped before it is a message.
var frameCauses = []cause{
	{socket.ErrLength, "length"},
	{socket.ErrIPChecksum, "ip checksum"},
	{socket.ErrUDPChecksum, "udp checksum"},
	{socket.ErrNotOurs, "not dhcp"},
	{socket.ErrNotReply, "not a reply"},
	{dhcp4.ErrShort, "short"},
	{dhcp4.ErrOp, "op"},
	{dhcp4.ErrHLen, "hlen"},
	{dhcp4.ErrCookie, "no cookie"},
	{dhcp4.ErrNoType, "no message type"},
	{dhcp4.ErrEssential, "essential option malformed"},
}

// troubleCauses are what goes wrong beside an exchange.
var troubleCauses = []cause{
	{syscall.ENOSPC, "disk full"},
	{syscall.EDQUOT, "disk full"},
	{syscall.EROFS, "read-only"},
	{os.ErrPermission, "not permitted"},
	{syscall.ENETDOWN, "link down"},
	{syscall.ENODEV, "no such link"},
	{syscall.ENXIO, "no such link"},
	{context.DeadlineExceeded, "timeout"},
	{os.ErrDeadlineExceeded, "timeout"},
}

var (
	frameReasons = wordsOf(frameCauses)
	troubleKinds = wordsOf(troubleCauses)
)

// wordsOf lists the words of causes, each once.
func wordsOf(list []cause) (w words) {
	for _, c := range list {
		if len(w) == 0 || w[len(w)-1] != c.word {
			w = append(w, c.word)
		}
	}
	return append(w, other)
}

// find returns the word of the first cause that is in err.
func find(list []cause, err error) string {
	for _, c := range list {
		if errors.Is(err, c.err) {
			return c.word
		}
	}
	return other
}

// FrameReason returns the word for why a frame was dropped, for
// [Link.DroppedFrame]. It knows what socket.Config.Dropped is called with.
func FrameReason(err error) string { return find(frameCauses, err) }

// TroubleKind returns the word under which [Link.Trouble] counts err.
func TroubleKind(err error) string { return find(troubleCauses, err) }
