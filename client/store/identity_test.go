package store

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

// identityOf loads an identity that is there, and the identifier of a link.
func identityOf(t *testing.T, dir, link string) dhcp4.ClientID {
	t.Helper()
	ident, _, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ident.ClientID(link)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestH2LinksWhoseNamesHaveOneHashAreApart(t *testing.T) {
	dir := t.TempDir()
	a, b := identityOf(t, dir, "costarring"), identityOf(t, dir, "liquid") // a known pair
	if bytes.Equal(a, b) {
		t.Errorf("H2: both are %v", a)
	}
	if alone := identityOf(t, t.TempDir(), "liquid"); !bytes.Equal(alone[1:5], a[1:5]) {
		t.Errorf("the names show nothing any more: %v and %v", alone[1:5], a[1:5])
	}
	for name, want := range map[string]dhcp4.ClientID{"costarring": a, "liquid": b} {
		if got := identityOf(t, dir, name); !bytes.Equal(got, want) {
			t.Errorf("H2: %s was %v, and is %v after a restart", name, want, got)
		}
	}
}

func TestH2ALinkThatTakesTheFormerNameOfAnotherIsNotIt(t *testing.T) {
	dir := t.TempDir()
	before := identityOf(t, dir, "eth0")
	if err := Rename(dir, "eth0", "lan0"); err != nil {
		t.Fatal(err)
	}
	if now := identityOf(t, dir, "eth0"); bytes.Equal(now, before) {
		t.Errorf("H2: lan0 and the new eth0 are both %v", now)
	}
}

func TestH2AnIdentifierThatCannotBeKeptIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	ident, _, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw)
	if err = errors.Join(err, os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if id, err := ident.ClientID("eth0"); err == nil {
		t.Errorf("H2: %v, which nobody will know after a restart", id)
	}
}

func TestH3AnIdentityWithoutLinksIsTakenAndOneWithoutADUIDIsNot(t *testing.T) {
	dir := t.TempDir()
	ident := &Identity{dir: dir, c: identity{DUID: "0001000100000000020000000001"}}
	if err := ident.save(); err != nil {
		t.Fatal(err)
	}
	if id := identityOf(t, dir, "eth0"); !bytes.Equal(id[5:], ident.duid()) {
		t.Errorf("H3: %v has another DUID", id)
	}
	ident.c.DUID = "0001" // a type, and nothing of it
	if err := ident.save(); err != nil {
		t.Fatal(err)
	}
	if _, warning, err := LoadIdentity(dir, dhcp4.HTypeEthernet, hw); err != nil || !errors.Is(warning, ErrBroken) {
		t.Errorf("%v, %v", warning, err)
	}
}
