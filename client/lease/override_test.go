package lease

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/lessee/lessee/client/dhcp4"
)

// policy reads "supersede routers=192.0.2.1".
func policy(t *testing.T, entries ...string) (p Policy) {
	t.Helper()
	lists := map[string]*dhcp4.Options{"supersede": &p.Supersede, "default": &p.Default, "prepend": &p.Prepend, "append": &p.Append}
	for _, e := range entries {
		how, rest, _ := strings.Cut(e, " ")
		name, value, _ := strings.Cut(rest, "=")
		s, ok := dhcp4.ByName(name)
		if !ok || lists[how] == nil {
			t.Fatalf("no such entry: %q", e)
		}
		var b []byte
		if value != "" {
			var err error
			if b, err = s.Parse(value); err != nil {
				t.Fatal(err)
			}
		}
		lists[how].Put(s.OptionCode(), b)
	}
	return p
}

// granted is a lease with options as people write them; a value of !... is
// bytes that no form fits.
func granted(t *testing.T, options ...string) Lease {
	t.Helper()
	m := ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h")
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		s, ok := dhcp4.ByName(name)
		if !ok {
			t.Fatalf("no option %q", name)
		}
		b := []byte(value)
		if !strings.HasPrefix(value, "!") {
			var err error
			if b, err = s.Parse(value); err != nil {
				t.Fatal(err)
			}
		}
		m.Options.Put(s.OptionCode(), b)
	}
	l, _, err := FromACK(m, start)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// brief are the options of a lease but for those that every one has, and what
// was done to them.
func brief(l Lease, overrides []Override) string {
	var out []string
	for _, o := range l.Options {
		switch o.Code {
		case dhcp4.ServerID.Code, dhcp4.LeaseTime.Code, dhcp4.SubnetMask.Code:
		default:
			out = append(out, fmt.Sprintf("%v=%v", o.Code, o))
		}
	}
	for _, o := range overrides {
		sent := "nothing"
		if o.Sent != nil {
			sent = dhcp4.RawOption{Code: o.Code, Value: o.Sent}.String()
		}
		text := fmt.Sprintf("%s %d, sent %s", o.How, uint8(o.Code), sent)
		if o.Err != nil {
			text += ", not done: " + o.Err.Error()
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestWhatIsUsedIsWhatWasSentAsThePolicyHasIt(t *testing.T) {
	label := strings.Repeat("x", 63)
	for _, tc := range []struct {
		name         string
		policy, sent []string
		want         string
	}{
		{"supersede what was sent", []string{"supersede routers=192.0.2.9"}, []string{"routers=192.0.2.1"},
			"routers=192.0.2.9; supersede 3, sent 192.0.2.1"},
		{"supersede what was not", []string{"supersede interface-mtu=1400"}, nil,
			"interface-mtu=1400; supersede 26, sent nothing"},
		{"supersede by nothing", []string{"supersede routers="}, []string{"routers=192.0.2.1", "interface-mtu=1500"},
			"interface-mtu=1500; supersede 3, sent 192.0.2.1"},
		{"supersede by nothing what was not sent", []string{"supersede routers="}, nil, ""},
		{"a default where nothing was sent", []string{"default domain-name=example.org"}, nil,
			"domain-name=example.org; default 15, sent nothing"},
		{"a default where something was", []string{"default domain-name=example.org"}, []string{"domain-name=example.com"},
			"domain-name=example.com"},
		{"a default where nonsense was", []string{"default domain-name-servers=192.0.2.9"}, []string{"domain-name-servers=!"},
			"domain-name-servers=192.0.2.9; default 6, sent 0x21 (option 6 (domain-name-servers): 1 bytes, want a multiple of 4)"},
		{"prepend", []string{"prepend domain-name-servers=127.0.0.1"}, []string{"domain-name-servers=192.0.2.53"},
			"domain-name-servers=127.0.0.1,192.0.2.53; prepend 6, sent 192.0.2.53"},
		{"append", []string{"append domain-search=b.example"}, []string{"domain-search=a.example"},
			"domain-search=a.example,b.example; append 119, sent a.example"},
		{"both", []string{"prepend ntp-servers=192.0.2.1", "append ntp-servers=192.0.2.3"}, []string{"ntp-servers=192.0.2.2"},
			"ntp-servers=192.0.2.1,192.0.2.2,192.0.2.3; prepend 42, sent 192.0.2.2; append 42, sent 192.0.2.2"},
		{"prepend to nothing", []string{"prepend domain-name-servers=127.0.0.1"}, nil,
			"domain-name-servers=127.0.0.1; prepend 6, sent nothing"},
		{"prepend to nonsense", []string{"prepend domain-name-servers=127.0.0.1"}, []string{"domain-name-servers=!"},
			"domain-name-servers=127.0.0.1; prepend 6, sent 0x21 (option 6 (domain-name-servers): 1 bytes, want a multiple of 4)"},
		{"append to a default", []string{"default domain-search=a.example", "append domain-search=b.example"}, nil,
			"domain-search=a.example,b.example; default 119, sent nothing; append 119, sent nothing"},
		{"text", []string{"append root-path=,nolock"}, []string{"root-path=192.0.2.1:/export"},
			"root-path=192.0.2.1:/export,nolock; append 17, sent 192.0.2.1:/export"},
		{"what makes no sense together", []string{"prepend domain-name=" + label}, []string{"domain-name=a.example"},
			"domain-name=a.example; prepend 15, sent a.example, not done: option 15 (domain-name): a label of 64 bytes in a name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := policy(t, tc.policy...)
			l := granted(t, append(tc.sent, "subnet-mask=/24")...)
			before := brief(l, nil)
			if got := brief(p.Use(l)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if after := brief(l, nil); after != before {
				t.Errorf("what was granted became %s", after)
			}
		})
	}
}

func TestWhatIsUsedIsReadAnew(t *testing.T) {
	l := granted(t, "subnet-mask=/24", "routers=192.0.2.1", "domain-name-servers=192.0.2.53", "interface-mtu=1500", "domain-name=a.example")
	used, _ := policy(t, "supersede routers=192.0.2.9", "append domain-name-servers=192.0.2.54", "supersede interface-mtu=", "supersede domain-name=b.example",
		"default ntp-servers=192.0.2.123", "default classless-static-routes=0.0.0.0/0 via 192.0.2.9").Use(l)
	a := netip.MustParseAddr
	want := l
	want.Routers, want.DNS, want.MTU, want.Domain = []netip.Addr{a("192.0.2.9")}, []netip.Addr{a("192.0.2.53"), a("192.0.2.54")}, 0, "b.example"
	want.NTP = []netip.Addr{a("192.0.2.123")}
	want.ClasslessRoutes = []dhcp4.Route{{Dest: netip.MustParsePrefix("0.0.0.0/0"), Gateway: a("192.0.2.9")}}
	want.Options = used.Options
	if !reflect.DeepEqual(used, want) {
		t.Errorf("used %+v\nwant %+v", used, want)
	}
}

// The name of the boot file may come from the message's own field, which is no
// option to override.
func TestTheBootFileIsOverriddenAsAnOption(t *testing.T) {
	for _, tc := range []struct{ sent, field, policy, want string }{
		{"a.img", "", "supersede bootfile-name=b.img", "b.img"},
		{"a.img", "a.img", "supersede bootfile-name=", ""},
		{"", "a.img", "supersede bootfile-name=b.img", "b.img"},
		{"", "a.img", "supersede domain-name=x.example", "a.img"},
		{"a.img", "", "append bootfile-name=.sig", "a.img.sig"},
	} {
		l := granted(t, "subnet-mask=/24")
		if tc.sent != "" {
			l = granted(t, "subnet-mask=/24", "bootfile-name="+tc.sent)
		}
		if l.BootFile != tc.sent {
			t.Fatalf("%q", l.BootFile)
		}
		l.BootFile = cmp.Or(l.BootFile, tc.field)
		if used, _ := policy(t, tc.policy).Use(l); used.BootFile != tc.want {
			t.Errorf("%+v: %q", tc, used.BootFile)
		}
	}
}

func TestBytesOfAnUnknownOptionAreJoined(t *testing.T) {
	m := ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h", "subnet-mask=/24")
	m.Options.Put(224, []byte{2})
	l, _, err := FromACK(m, start)
	if err != nil {
		t.Fatal(err)
	}
	used, done := Policy{Prepend: dhcp4.Options{{Code: 224, Value: []byte{1}}}, Append: dhcp4.Options{{Code: 224, Value: []byte{3}}}}.Use(l)
	if v, _ := used.Options.Lookup(224); !bytes.Equal(v, []byte{1, 2, 3}) || len(done) != 2 {
		t.Errorf("% x, %+v", v, done)
	}
}

func TestTheMaskMayBeOverriddenWhereTheAddressAllows(t *testing.T) {
	for _, tc := range []struct {
		name, policy, sent string
		want               string
		derived            bool
	}{
		{"longer", "supersede subnet-mask=/25", "/24", "192.0.2.77/25", false},
		{"shorter", "supersede subnet-mask=/16", "/24", "192.0.2.77/16", false},
		{"a default that is not needed", "default subnet-mask=/16", "/24", "192.0.2.77/24", false},
		{"a default that is", "default subnet-mask=/28", "", "192.0.2.77/28", false},
		{"none", "supersede subnet-mask=", "/28", "192.0.2.77/24", true},
		{"so long that there is no subnet", "supersede subnet-mask=/31", "/24", "192.0.2.77/31", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := granted(t)
			if tc.sent != "" {
				l = granted(t, "subnet-mask="+tc.sent)
			}
			used, _ := policy(t, tc.policy).Use(l)
			if used.Addr.String() != tc.want || used.MaskDerived != tc.derived {
				t.Errorf("%v, derived %v, want %s", used.Addr, used.MaskDerived, tc.want)
			}
		})
	}
}

func TestAMaskThatTheAddressDoesNotAllowIsNotUsed(t *testing.T) {
	m := ack(t, "192.0.2.64", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h", "subnet-mask=/24")
	l, _, err := FromACK(m, start)
	if err != nil {
		t.Fatal(err)
	}
	used, done := policy(t, "supersede subnet-mask=/26").Use(l)
	if used.Addr != l.Addr || len(done) != 1 || done[0].Err == nil || !strings.Contains(done[0].Err.Error(), "the address of the subnet itself") {
		t.Errorf("%v, %+v", used.Addr, done)
	}
	if bits, err := dhcp4.SubnetMask.Get(used.Options); err != nil || bits != 24 {
		t.Errorf("option 1 says %d, %v", bits, err)
	}
}

func TestTheServersBroadcastAddressGoesWithItsMask(t *testing.T) {
	l := granted(t, "subnet-mask=/24", "broadcast-address=192.0.2.255")
	if used, _ := policy(t, "supersede subnet-mask=/16").Use(l); used.Broadcast.IsValid() {
		t.Errorf("broadcast address %v in %v", used.Broadcast, used.Addr)
	}
	own := netip.MustParseAddr("192.0.255.255")
	if used, _ := policy(t, "supersede subnet-mask=/16", "supersede broadcast-address=192.0.255.255").Use(l); used.Broadcast != own {
		t.Errorf("broadcast address %v, want %v", used.Broadcast, own)
	}
}

func TestWhatIsAgreedUponWithAServerIsNotOverridden(t *testing.T) {
	l := granted(t, "subnet-mask=/24", "dhcp-renewal-time=10m", "dhcp-rebinding-time=20m")
	for _, c := range []dhcp4.Code{0, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 80, 82, 90, 255} {
		if Overridable(c) == nil {
			t.Errorf("option %d may be overridden", c)
		}
		for _, v := range [][]byte{nil, {255, 255, 255, 255}, {192, 0, 2, 66}} {
			o := dhcp4.Options{{Code: c, Value: v}}
			if used, done := (Policy{o, o, o, o}).Use(l); !reflect.DeepEqual(used, l) || len(done) > 0 {
				t.Errorf("option %d: %+v, %+v", c, used, done)
			}
		}
	}
	for _, c := range []dhcp4.Code{1, 3, 6, 12, 15, 26, 42, 119, 121, 224} {
		if err := Overridable(c); err != nil {
			t.Error(err)
		}
	}
}

func TestNoPolicyChangesNothing(t *testing.T) {
	l := granted(t, "subnet-mask=/24", "routers=!")
	if used, done := (Policy{}).Use(l); !reflect.DeepEqual(used, l) || done != nil {
		t.Errorf("%+v, %+v", used, done)
	}
	if used, done := policy(t, "supersede routers=192.0.2.1").Use(Lease{}); !used.IsZero() || done != nil {
		t.Errorf("%+v, %+v of no lease", used, done)
	}
}

// wire reads options as a message has them.
func wire(b []byte) (o dhcp4.Options) {
	for len(b) > 1 && len(b) >= 2+int(b[1]) {
		o.Put(dhcp4.Code(b[0]), b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return o
}

// FuzzUse holds any policy, on any lease, to what no policy may do: make a
// lease longer, change what is agreed upon, put the host on another address or
// on one that no host may have, or touch what was granted.
func FuzzUse(f *testing.F) {
	f.Add([]byte{6, 4, 192, 0, 2, 53, 28, 4, 192, 0, 2, 255}, []byte{51, 4, 255, 255, 255, 255, 1, 4, 255, 255, 255, 192}, []byte{26, 2, 5, 120}, []byte{6, 4, 127, 0, 0, 1}, []byte{119, 3, 1, 'a', 0})
	f.Add([]byte{119, 3, 1, 'a', 0}, []byte{3, 0}, []byte{}, []byte{119, 3, 1, 'b', 0}, []byte{119, 2, 192, 0})
	f.Fuzz(func(t *testing.T, sent, supersede, def, prepend, appended []byte) {
		m := ack(t, "192.0.2.77", "dhcp-server-identifier=192.0.2.1", "dhcp-lease-time=1h", "subnet-mask=/24")
		for _, o := range wire(sent) {
			if o.Code != dhcp4.ServerID.Code {
				m.Options.Put(o.Code, o.Value)
			}
		}
		l, _, err := FromACK(m, start)
		if err != nil {
			return
		}
		before := fmt.Sprintf("%+v", l)
		used, done := Policy{wire(supersede), wire(def), wire(prepend), wire(appended)}.Use(l)
		if after := fmt.Sprintf("%+v", l); after != before {
			t.Fatalf("what was granted became\n%s, it was\n%s", after, before)
		}
		if used.Start != l.Start || used.T1 != l.T1 || used.T2 != l.T2 || used.Expiry != l.Expiry || used.Server != l.Server || used.Addr.Addr() != l.Addr.Addr() {
			t.Errorf("%+v of %+v", used, l)
		}
		if why := Unusable(used.Addr, used.Server); why != "" {
			t.Errorf("%v is %s", used.Addr, why)
		}
		for c := range 256 {
			if Overridable(dhcp4.Code(c)) == nil {
				continue
			}
			was, had := l.Options.Lookup(dhcp4.Code(c))
			if is, has := used.Options.Lookup(dhcp4.Code(c)); had != has || !bytes.Equal(was, is) {
				t.Errorf("option %d was % x and is % x", c, was, is)
			}
		}
		if len(done) == 0 && !reflect.DeepEqual(used.Options, l.Options) {
			t.Errorf("options %v of %v, and nobody was told", used.Options, l.Options)
		}
	})
}
