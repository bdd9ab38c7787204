package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fileOf reads a file's text.
func fileOf(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("lessee.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// holds is what holds for a setting of eth0, and where it comes from.
func holds(t *testing.T, f *File, flags Flags, name string) (value, from string) {
	t.Helper()
	values, err := f.LinkValues("eth0", flags)
	if err != nil {
		t.Fatal(err)
	}
	v := values[slices.IndexFunc(values, func(v Value) bool { return v.Name == name })]
	return v.String(), v.Origin.String()
}

// kept is what comes back of what is remembered, as JSON.
func kept(t *testing.T, r Remembered) (out Remembered) {
	t.Helper()
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatTheLeaseWasGotWithHoldsUnlessSomethingElseIsSaidNow(t *testing.T) {
	const then = "--metric, when the lease was got"
	for name, tc := range map[string]struct {
		before, after string // of the file
		now           Flags
		value, from   string
	}{
		"nothing else is said":            {"", "", nil, "5", then},
		"a flag":                          {"", "", flag("metric", "7"), "7", "--metric"},
		"a flag that is the default":      {"", "", flag("metric", "auto"), `"auto"`, "--metric"},
		"another flag":                    {"", "", flag("table", "7"), "5", then},
		"the file said the same then":     {"[defaults]\nmetric = 9", "[defaults]\nmetric = 9", nil, "5", then},
		"and in another way":              {"[defaults]\nmetric = 9", "[link.eth0]\nmetric = 9", nil, "5", then},
		"the file says something by now":  {"", "[defaults]\nmetric = 9", nil, "9", "lessee.toml:2"},
		"the file says something else":    {"[defaults]\nmetric = 9", "[defaults]\nmetric = 8", nil, "8", "lessee.toml:2"},
		"the file says nothing any more":  {"[defaults]\nmetric = 9", "", nil, `"auto"`, "default"},
		"the file speaks of other things": {"", "[defaults]\nhostname = 'a'\n[link.eth1]\nmetric = 9", nil, "5", then},
	} {
		r := kept(t, fileOf(t, tc.before).Remember("eth0", flag("metric", "5")))
		f := fileOf(t, tc.after)
		if value, from := holds(t, f, f.Recall("eth0", r, tc.now), "metric"); value != tc.value || from != tc.from {
			t.Errorf("%s: %s, %s; want %s, %s", name, value, from, tc.value, tc.from)
		}
	}
}

// A lease is renewed more than once, and may be told something new each time.
func TestWhatIsRememberedIsRememberedOn(t *testing.T) {
	f := fileOf(t, "[defaults]\nmetric = 9\nrequire = []\n")
	first := flag("metric", "5")
	first["mtu"] = Flag{Flag: "no-mtu", Values: []string{"false"}}
	first["require"] = Flag{Flag: "require", Values: []string{"routers", "3"}}
	r := kept(t, f.Remember("eth0", first))
	r = kept(t, f.Remember("eth0", f.Recall("eth0", r, flag("metric", "6"))))
	r = kept(t, f.Remember("eth0", f.Recall("eth0", r, nil)))
	last := f.Recall("eth0", r, nil)
	for name, want := range map[string]string{"metric": "6", "mtu": "false", "require": `["routers", "3"]`, "table": `"auto"`} {
		if got, _ := holds(t, f, last, name); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if value, from := holds(t, fileOf(t, "[defaults]\nmetric = 1\n"), fileOf(t, "[defaults]\nmetric = 1\n").Recall("eth0", r, nil), "metric"); value != "1" {
		t.Errorf("metric = %s, %s, though the file was changed", value, from)
	}
}

func TestNamesOfFilesAreRememberedSoThatTheyLeadThereFromEverywhere(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	flags := flag("hook-script", "x/script")
	flags["resolv-conf"] = Flag{Flag: "resolv-conf", Values: []string{"none"}}
	flags["hooks-dir"] = Flag{Flag: "hooks-dir", Values: []string{"/etc/hooks"}}
	r := new(File).Remember("eth0", flags)
	for name, want := range map[string]string{"hook-script": filepath.Join(here, "x/script"), "resolv-conf": "none", "hooks-dir": "/etc/hooks"} {
		if got := r[name].Is; !slices.Equal(got, one(want)) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Whatever stands in the store, there is an error or something that holds.
func TestOddThingsAreRecalledWithoutHarm(t *testing.T) {
	f := fileOf(t, "[defaults]\nrequire = ['routers']\n")
	for text, good := range map[string]bool{
		`{}`:   true,
		`null`: true,
		`{"no-such-setting":{"is":["1"],"over":["2"]}}`:                                         true,
		`{"state-dir":{"is":["/x"],"over":["/var/lib/lessee"]}}`:                                true,
		`{"metric":{"is":["7"]}}`:                                                               true, // over nothing, which is never so
		`{"metric":{"is":["many"],"over":["auto"]}}`:                                            false,
		`{"metric":{"is":[],"over":["auto"]}}`:                                                  false,
		`{"metric":{"is":["1","2"],"over":["auto"]}}`:                                           false,
		`{"mtu":{"is":null,"over":["true"]}}`:                                                   false,
		`{"hostname":{"is":["a\u0000b"],"over":[""]}}`:                                          false,
		`{"hook-style":{"is":["udhcpc"],"over":["none"]},"table":{"is":["7"],"over":["auto"]}}`: false,
		`{"supersede":{"is":["routers"],"over":null}}`:                                          false,
	} {
		var r Remembered
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Link("eth0", f.Recall("eth0", r, nil)); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
