package dhcp4

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestForms reads values as people write them, writes them as bytes, and reads
// those again.
func TestForms(t *testing.T) {
	for _, tc := range []struct{ option, text, bytes, shown string }{
		{"subnet-mask", "255.255.255.0", "ffffff00", ""},
		{"subnet-mask", "/20", "fffff000", "255.255.240.0"},
		{"routers", "192.0.2.1, 192.0.2.2", "c0000201c0000202", "192.0.2.1,192.0.2.2"},
		{"time-offset", "-3600", "fffff1f0", ""},
		{"host-name", "host-1", "686f73742d31", ""},
		{"interface-mtu", "1500", "05dc", ""},
		{"ip-forwarding", "true", "01", ""},
		{"path-mtu-plateau-table", "68,296", "00440128", ""},
		{"static-routes", "10.0.0.0/8 via 192.0.2.1", "0a000000c0000201", ""},
		{"static-routes", "10.1.2.3/32 via 192.0.2.1", "0a010203c0000201", ""},
		{"dhcp-lease-time", "1h", "00000e10", "1h0m0s"},
		{"dhcp-lease-time", "infinite", "ffffffff", ""},
		{"dhcp-parameter-request-list", "1,3,6", "010306", ""},
		{"dhcp-client-identifier", "01:02:00:00:00:00:01", "01020000000001", ""},
		{"vendor-encapsulated-options", "0x0102", "0102", ""},
		{"user-class", "a,bc", "0161026263", ""},
		{"rapid-commit", "yes", "", ""},
		{"fqdn", "host.example.com", "05000004686f7374076578616d706c6503636f6d00", "host.example.com"}, // H9
		{"fqdn", "host", "05000004686f7374", ""},                                                       // H9: a partial name has no closing label
		{"domain-search", "a.example,b.example", "0161076578616d706c65000162076578616d706c6500", ""},
		{"sip-servers", "192.0.2.5", "01c0000205", ""},
		{"sip-servers", "sip.example", "0003736970076578616d706c6500", ""},
		{"classless-static-routes", "10.0.0.0/8 via 192.0.2.1,0.0.0.0/0 via 192.0.2.1,192.0.2.128/25 on-link", "080ac000020100c000020119c000028000000000", ""},
		{"vendor-class", "4491:0x01", "0000118b0101", ""},
		{"vendor-options", "4491:0x01,9:0x,4491:0x0203", "0000118b0101" + "0000000900" + "0000118b020203", ""}, // B18
		{"encrypted-dns", "1 dot.example 192.0.2.53", "0015" + "0001" + "0d" + "03646f74076578616d706c6500" + "04c0000235", ""},
		{"6rd", "14 2001:db8::/32 192.0.2.1", "0e2020010db8000000000000000000000000c0000201", ""},
		{"tftp-servers", "192.0.2.7", "c0000207", ""},
		{"captive-portal", "https://portal.example", "68747470733a2f2f706f7274616c2e6578616d706c65", ""},
	} {
		s, ok := ByName(tc.option)
		if !ok {
			t.Fatalf("no option %q", tc.option)
		}
		want, err := scanHex(tc.bytes)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Parse(tc.text)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s=%s: %x, %v, want %s", tc.option, tc.text, got, err, tc.bytes)
			continue
		}
		shown := tc.shown
		if shown == "" {
			shown = strings.ReplaceAll(tc.text, ", ", ",")
		}
		if text, err := s.Format(got); err != nil || text != shown {
			t.Errorf("%s: %s is shown as %q, %v, want %q", tc.option, tc.bytes, text, err, shown)
		}
	}
}

// bomb is a name of 247 bytes and 100 times a pointer to it.
var bomb = strings.Repeat("3d"+strings.Repeat("61", 61), 4) + "00" + strings.Repeat("c000", 100)

func TestMalformedValues(t *testing.T) {
	for _, tc := range []struct{ option, bytes, why string }{
		{"subnet-mask", "ff00ff00", "leading ones"},                      // B13
		{"subnet-mask", "00000000", "leading ones"},                      // B13
		{"subnet-mask", "ffffff", "want 4"},                              // B10
		{"routers", "", "multiple"},                                      // B10
		{"broadcast-address", "c0000201c0000202", "want 4"},              // B10
		{"interface-mtu", "0043", "68 or more"},                          // B10
		{"dhcp-max-message-size", "023f", "576 or more"},                 // B10
		{"static-routes", "0a000000c00002", "multiple"},                  // B10
		{"static-routes", "", "multiple"},                                // B10
		{"static-routes", "00000000c0000201", "0.0.0.0"},                 // B14
		{"dhcp-message", "610062", "NUL"},                                // B11
		{"dhcp-message", "0000", "empty"},                                // B11
		{"host-name", "6120", "' '"},                                     // B16
		{"host-name", "2d72", "'-'"},                                     // B16
		{"domain-name", "612e2e62", "label of 0"},                        // B16
		{"domain-name", "243b28", "'$'"},                                 // B16
		{"domain-name", strings.Repeat("61", 64), "label of 64"},         // B16
		{"domain-name", strings.Repeat("612e", 130) + "61", "name of"},   // B16
		{"domain-search", "c000", "backwards"},                           // B15
		{"domain-search", "0161c005", "backwards"},                       // B15
		{"domain-search", "0161c000", "backwards"},                       // B15: a loop
		{"domain-search", "0161", "past the end"},                        // B15
		{"domain-search", "0361", "past the end"},                        // B15
		{"domain-search", "00", "empty name"},                            // B15
		{"domain-search", "c0", "half"},                                  // B15
		{"domain-search", "8161", "label type"},                          // B15
		{"domain-search", bomb, "more than 16384"},                       // B21
		{"user-class", "00", "empty class"},                              // B17
		{"user-class", "0561", "cut off"},                                // B17
		{"vendor-class", "0000118b0561", "cut off"},                      // B18
		{"classless-static-routes", "210a0000000000c0000201", "33 bits"}, // G5
		{"classless-static-routes", "080ac0000201080a", "cut off"},       // G3
		{"dhcp-client-identifier", "01", "2 or more"},                    // H5
		{"encrypted-dns", "0004000101ff", "half a"},                      // N8
		{"6rd", "0e20", "bytes"},                                         //
		{"sip-servers", "07", "encoding 7"},                              //
		{"rapid-commit", "00", "want 0"},                                 // I1
		{"ip-forwarding", "02", "00 or 01"},                              //
	} {
		s, ok := ByName(tc.option)
		if !ok {
			t.Fatalf("no option %q", tc.option)
		}
		b, err := scanHex(tc.bytes)
		if err != nil {
			t.Fatal(err)
		}
		var malformed *MalformedError
		if text, err := s.Format(b); !errors.As(err, &malformed) || !strings.Contains(malformed.Why, tc.why) {
			t.Errorf("%s: %s is %q, %v, want %q", tc.option, tc.bytes, text, err, tc.why)
		}
	}
}

func TestG4HostBitsAreCleared(t *testing.T) {
	var o Options
	o.Put(ClasslessRoutes.Code, []byte{25, 129, 210, 177, 132, 192, 0, 2, 1})
	r, err := ClasslessRoutes.Get(o)
	if err != nil || len(r) != 1 || r[0].Dest.String() != "129.210.177.128/25" {
		t.Errorf("%v, %v", r, err)
	}
}

func TestG9MoreThan255BytesOfRoutes(t *testing.T) {
	m := ackMessage(t)
	var want []Route
	for i := range 60 {
		r, err := scanRoute("10." + strings.Repeat("0.", 2) + "0/8 via 192.0.2.1")
		if err != nil {
			t.Fatal(err)
		}
		_ = i
		want = append(want, r)
	}
	if err := ClasslessRoutes.Put(&m.Options, want); err != nil {
		t.Fatal(err)
	}
	b, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ClasslessRoutes.Get(again.Options); err != nil || len(got) != 60 {
		t.Errorf("%d routes, %v", len(got), err)
	}
}

func TestB15CompressedNames(t *testing.T) {
	// RFC 3397, section 2's example: names share a suffix.
	b, err := scanHex("03656e67056170706c6503636f6d00" + "096d61726b6574696e67c004")
	if err != nil {
		t.Fatal(err)
	}
	got, why := domains.parse(b)
	if why != "" || join(got) != "eng.apple.com,marketing.apple.com" {
		t.Errorf("%v, %s", got, why)
	}
}

func TestH1DUIDForm(t *testing.T) {
	if id := DUIDClientID(0x01020304, []byte{0, 1, 9}); id.String() != "ff:01:02:03:04:00:01:09" {
		t.Errorf("%v", id)
	}
	if id := HardwareClientID(HTypeEthernet, HardwareAddr{2, 0, 0, 0, 0, 1}); id.String() != "01:02:00:00:00:00:01" {
		t.Errorf("H5: %v", id)
	}
}

func TestH8FlagsOfFQDN(t *testing.T) {
	var o Options
	if err := FQDN.Put(&o, ClientFQDN{Flags: FQDNNoUpdates | FQDNServerUpdates, Name: "a"}); err == nil {
		t.Error("N and S together are written")
	}
	o.Put(FQDN.Code, []byte{0, 255, 255, 'a', '.', 'b'})
	if f, err := FQDN.Get(o); err != nil || f.Name != "a.b" {
		t.Errorf("RCODEs are to be ignored: %v, %v", f, err)
	}
}

func TestTableIsSound(t *testing.T) {
	codes, names := map[Code]bool{}, map[string]bool{}
	for _, s := range table {
		if codes[s.OptionCode()] || names[s.OptionName()] {
			t.Errorf("%d (%s) is there twice", s.OptionCode(), s.OptionName())
		}
		codes[s.OptionCode()], names[s.OptionName()] = true, true
		if got, ok := ByCode(s.OptionCode()); !ok || got.OptionName() != s.OptionName() {
			t.Errorf("%d is not found", s.OptionCode())
		}
		// The example that its errors show must work.
		_, err := s.Parse("\x00")
		if err == nil {
			continue // text takes anything
		}
		_, example, ok := strings.Cut(err.Error(), "; an example: "+s.OptionName()+"=")
		if !ok {
			t.Errorf("%s: no example in %q", s.OptionName(), err)
			continue
		}
		if _, err := s.Parse(example); err != nil {
			t.Errorf("%s: the example does not work: %v", s.OptionName(), err)
		}
	}
	for c := range 256 { // B19
		refused := c == 0 || c == 50 || c == 52 || c == 53 || c == 54 || c == 55 || c == 61 || c == 82 || c == 255
		if err := Sendable(Code(c)); (err != nil) != refused {
			t.Errorf("B19: option %d: %v", c, err)
		}
	}
}

func FuzzDomains(f *testing.F) {
	f.Add([]byte{3, 'e', 'n', 'g', 0, 1, 'a', 0xc0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		names, why := domains.parse(b)
		if why != "" {
			return
		}
		for _, n := range names {
			if bad := badName(n); bad != "" {
				t.Fatalf("%q: %s", n, bad)
			}
		}
		out, why := domains.write(nil, names)
		if why != "" {
			t.Fatalf("%q: %s", names, why)
		}
		if again, why := domains.parse(out); why != "" || join(again) != join(names) {
			t.Fatalf("%q became %q, %s", names, again, why)
		}
	})
}

func FuzzRoutes(f *testing.F) {
	f.Add([]byte{8, 10, 192, 0, 2, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		routes, why := classless.parse(b)
		if why != "" {
			return
		}
		out, why := classless.write(nil, routes)
		if why != "" {
			t.Fatal(why)
		}
		if again, why := classless.parse(out); why != "" || join(again) != join(routes) {
			t.Fatalf("%v became %v, %s", routes, again, why)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, s := range Specs() {
		if _, err := s.Parse("\x00"); err != nil {
			f.Add(uint8(s.OptionCode()), err.Error())
		}
	}
	f.Fuzz(func(t *testing.T, code uint8, text string) {
		s, ok := ByCode(Code(code))
		if !ok {
			return
		}
		b, err := s.Parse(text)
		if err != nil {
			return
		}
		if _, err := s.Format(b); err != nil {
			t.Fatalf("%s=%q is written and cannot be read: %v", s.OptionName(), text, err)
		}
	})
}
