package store

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lessee/lessee/client/dhcp4"
)

// An Identity is who this host is to DHCP servers (RFC 4361): one DUID for the
// host, and an IAID for each link.
type Identity struct {
	dir string
	c   identity
}

// identity is the file's content.
type identity struct {
	DUID  string            `json:"duid"`  // hexadecimal digits
	IAIDs map[string]uint32 `json:"iaids"` // by the link's name
}

// duidEpoch is when a DUID-LLT's time begins (RFC 8415, section 11.2).
var duidEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// LoadIdentity returns the identity kept in the state directory dir. The first
// time, it is made of the time and a link's hardware address (DUID-LLT, RFC
// 8415, section 11.2), and kept; later changes of hardware do not change it.
// The warning tells of a broken file that was set aside.
func LoadIdentity(dir string, h dhcp4.HType, hw dhcp4.HardwareAddr) (id *Identity, warning, err error) {
	id = &Identity{dir: dir}
	err = read(id.path(), &id.c)
	if err == nil && len(id.duid()) < 3 {
		err = fmt.Errorf("%s: no DUID: %w", id.path(), setAside(id.path()))
	}
	switch {
	case err == nil:
		return id, nil, nil
	case errors.Is(err, ErrBroken):
		warning = err
	case !errors.Is(err, os.ErrNotExist):
		return nil, nil, fmt.Errorf("the host's identity: %w", err)
	}
	duid := []byte{0, 1, 0, byte(h)}
	duid = binary.BigEndian.AppendUint32(duid, uint32(time.Since(duidEpoch)/time.Second))
	id.c = identity{DUID: hex.EncodeToString(append(duid, hw...)), IAIDs: map[string]uint32{}}
	return id, warning, id.save()
}

func (id *Identity) path() string { return filepath.Join(id.dir, "identity.json") }

func (id *Identity) duid() []byte {
	b, err := hex.DecodeString(id.c.DUID)
	if err != nil {
		return nil
	}
	return b
}

func (id *Identity) save() error {
	if err := write(id.path(), id.c); err != nil {
		return fmt.Errorf("keep the host's identity: %w", err)
	}
	return nil
}

// ClientID returns the client identifier of a link: the host's DUID and the
// link's own IAID, which no other link of this host has, now or later.
func (id *Identity) ClientID(link string) (dhcp4.ClientID, error) {
	iaid, known := id.c.IAIDs[link]
	if !known {
		h := fnv.New32a()
		h.Write([]byte(link))
		iaid = h.Sum32()
		for taken := id.taken(); slices.Contains(taken, iaid); {
			iaid++
		}
		if id.c.IAIDs == nil {
			id.c.IAIDs = map[string]uint32{}
		}
		id.c.IAIDs[link] = iaid
		if err := id.save(); err != nil {
			return nil, err
		}
	}
	return dhcp4.DUIDClientID(iaid, id.duid()), nil
}

// renameIdentity gives a link its IAID under its new name, if it has one: to
// servers it is the same link (RFC 4361, section 6.1).
func renameIdentity(dir, old, name string) error {
	id := &Identity{dir: dir}
	err := read(id.path(), &id.c)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	iaid, known := id.c.IAIDs[old]
	if !known {
		return nil
	}
	delete(id.c.IAIDs, old)
	id.c.IAIDs[name] = iaid
	return id.save()
}

func (id *Identity) taken() (list []uint32) {
	for _, n := range id.c.IAIDs {
		list = append(list, n)
	}
	return list
}
