package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const monitoring = "../../../examples/monitoring"

// exposed are the names of all samples, each with its labels and their values.
func exposed(t *testing.T) map[string]map[string][]string {
	t.Helper()
	r, list := example()
	samples, err := check(string(r.render(list, false)), false)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string][]string{}
	for _, s := range samples {
		if out[s.name] == nil {
			out[s.name] = map[string][]string{}
		}
		for k, v := range s.labels {
			out[s.name][k] = append(out[s.name][k], v)
		}
	}
	return out
}

var (
	metricName  = regexp.MustCompile(`\blessee_[a-z0-9_]+\b`)
	selector    = regexp.MustCompile(`\b(lessee_[a-z0-9_]+)\{([^}]*)\}`)
	matcher     = regexp.MustCompile(`([a-z]+)(=~|!~|!=|=)"([^"]*)"`)
	fromScraper = []string{"instance", "job"} // labels that Prometheus adds
)

// complain checks the metrics that a text names, with their labels and values.
func complain(text string, have map[string]map[string][]string) (complaints []string, names []string) {
	for _, name := range metricName.FindAllString(text, -1) {
		names = append(names, name)
		if have[name] == nil {
			complaints = append(complaints, name+" is no metric")
		}
	}
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			values, there := have[m[1]][l[1]]
			switch {
			case slices.Contains(fromScraper, l[1]):
			case !there:
				complaints = append(complaints, m[1]+" has no label "+l[1])
			case strings.HasPrefix(l[3], "$"): // a variable of the dashboard
			default:
				for _, v := range strings.Split(l[3], "|") {
					if !slices.Contains(values, v) {
						complaints = append(complaints, m[1]+" has never "+l[1]+" "+v)
					}
				}
			}
		}
	}
	return complaints, names
}

func TestTheScanOfExamplesCanFail(t *testing.T) {
	have := exposed(t)
	for text, want := range map[string]int{
		`rate(lessee_naks_total{link=~"$link"}[5m])`: 0,
		`lessee_link_state{state=~"BOUND|RENEWING"}`: 0,
		`lessee_naks`:                 1,
		`lessee_naks_total{type="x"}`: 1,
		`lessee_link_state{state=~"BOUND|DREAMING",link="eth0"}`: 1,
	} {
		if c, _ := complain(text, have); len(c) != want {
			t.Errorf("%s: %q, want %d", text, c, want)
		}
	}
}

// queries returns all values of members with this name, however deep.
func queries(v any, name string) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if s, ok := e.(string); ok && k == name {
				out = append(out, s)
			}
			out = append(out, queries(e, name)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, queries(e, name)...)
		}
	}
	return out
}

func TestTheDashboardShowsMetricsThatThereAre(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(monitoring, "grafana-dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard map[string]any
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	have := exposed(t)
	exprs := queries(dashboard, "expr")
	if len(exprs) < 20 {
		t.Fatalf("%d queries", len(exprs))
	}
	shown := map[string]bool{}
	for _, e := range exprs {
		complaints, names := complain(e, have)
		for _, c := range complaints {
			t.Errorf("%s: %s", e, c)
		}
		if len(names) == 0 {
			t.Errorf("%s: no metric", e)
		}
		for _, n := range names {
			shown[n] = true
		}
	}
	if complaints, _ := complain(string(b), have); len(complaints) > 0 { // variables and texts
		t.Errorf("%q", complaints)
	}
	for name := range have {
		if !shown[name] {
			t.Errorf("%s is not on the dashboard", name)
		}
	}
}

func TestTheAlertsAreAboutMetricsThatThereAre(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^ *#.*$`).ReplaceAllString(string(b), "")
	have := exposed(t)
	complaints, names := complain(text, have)
	for _, c := range complaints {
		t.Error(c)
	}
	if strings.Contains(text, "\t") {
		t.Error("YAML has no tabs")
	}
	for _, name := range []string{
		"lessee_lease_held", "lessee_lease_seconds_left", "lessee_conflicts_total", "lessee_naks_total", "lessee_link_flaps_total",
		"lessee_client_restarts_total", "lessee_process_start_time_seconds",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("no alert about %s", name)
		}
	}
	for _, word := range []string{"alert", "expr", "severity", "summary"} {
		n := strings.Count(text, word+": ")
		if rules := strings.Count(text, "- alert: "); n != rules || rules < 8 {
			t.Errorf("%d of %s for %d rules", n, word, rules)
		}
	}
}
