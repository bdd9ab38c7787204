package config

import (
	"net/netip"
	"testing"
)

func TestWhereToListenIsLoopbackUnlessSaidOtherwise(t *testing.T) {
	for text, want := range map[string]string{
		"9999":                 "127.0.0.1:9999",
		":9999":                "127.0.0.1:9999",
		"localhost:9999":       "127.0.0.1:9999",
		"127.0.0.1:9999":       "127.0.0.1:9999",
		"[::1]:9999":           "[::1]:9999",
		"0.0.0.0:9999":         "0.0.0.0:9999",
		"[::]:9999":            "[::]:9999",
		"192.0.2.1:1":          "192.0.2.1:1",
		"[fe80::1%eth0]:65535": "[fe80::1%eth0]:65535",
		"":                     "",
		":":                    "",
		"localhost":            "",
		"192.0.2.1":            "",
		"192.0.2.1:":           "",
		"0":                    "",
		":0":                   "",
		"65536":                "",
		"-1":                   "",
		"+1":                   "",
		" 9999":                "",
		"9999 ":                "",
		"*:9999":               "",
		"host.example:9999":    "",
		"::1:9999":             "",
		"[::1:9999":            "",
		"::1]:9999":            "",
		"[127.0.0.1]:9999":     "",
		"[]:9999":              "",
		"http://127.0.0.1:9":   "",
		"127.0.0.1:http":       "",
		"127.0.0.1:9999/x":     "",
	} {
		got, err := parseListen(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q: %v, want an error", text, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
}

func FuzzParseListen(f *testing.F) {
	for _, s := range []string{"9999", ":9999", "[::1]:1", "localhost:1", "0.0.0.0:80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseListen(text)
		if err != nil {
			if a != (netip.AddrPort{}) {
				t.Fatalf("%v with %v", a, err)
			}
			return
		}
		again, err := parseListen(a.String())
		if !a.IsValid() || a.Port() == 0 || err != nil || again != a {
			t.Fatalf("%q: %v, then %v, %v", text, a, again, err)
		}
	})
}
