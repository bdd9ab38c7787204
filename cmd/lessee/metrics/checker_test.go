package metrics

import "testing"

// TestTheCheckerTakesWhatTheSpecificationShows and the test below keep the
// checker of this package honest: what it lets pass, and what it does not.
func TestTheCheckerTakesWhatTheSpecificationShows(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "# EOF\n",
		"all kinds": `# TYPE a counter
# HELP a Things \\ counted, with \"quotes\" and \n a line.
a_total{x="1",y="\\ \" \n ö"} 3
a_total{x="2"} 4
# TYPE b_seconds gauge
# UNIT b_seconds seconds
# HELP b_seconds Time.
b_seconds -1.5
# TYPE c info
c_info{version="1"} 1
# TYPE d_seconds histogram
# UNIT d_seconds seconds
d_seconds_bucket{link="x",le="0.01"} 1
d_seconds_bucket{link="x",le="+Inf"} 2
d_seconds_sum{link="x"} 0.3
d_seconds_count{link="x"} 2
# EOF
`,
	} {
		if _, err := check(text, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := check("# TYPE a_total counter\n# HELP a_total Things.\na_total{x=\"\\n\"} 3\n", true); err != nil || s[0].labels["x"] != "\n" {
		t.Errorf("classic: %v, %v", s, err)
	}
}

func TestTheCheckerFindsWhatIsWrong(t *testing.T) {
	histogram := func(lines string) string {
		return "# TYPE h histogram\n" + lines + "# EOF\n"
	}
	for name, text := range map[string]string{
		"no end":               "# TYPE a gauge\na 1\n",
		"something after it":   "# EOF\n# EOF\n",
		"no line feed":         "# EOF",
		"carriage return":      "# TYPE a gauge\r\na 1\r\n# EOF\n",
		"not UTF-8":            "# TYPE a gauge\na{x=\"\xff\"} 1\n# EOF\n",
		"an empty line":        "# TYPE a gauge\n\na 1\n# EOF\n",
		"a comment":            "# hello world\n# EOF\n",
		"no type":              "a 1\n# EOF\n",
		"unknown type":         "# TYPE a number\na 1\n# EOF\n",
		"old type":             "# TYPE a untyped\na 1\n# EOF\n",
		"type twice":           "# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n",
		"family twice":         "# TYPE a gauge\na{x=\"1\"} 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na 1\n# EOF\n",
		"unit not in name":     "# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
		"help before unit":     "# TYPE a_s gauge\n# HELP a_s x\n# UNIT a_s s\na_s 1\n# EOF\n",
		"help after samples":   "# TYPE a gauge\na 1\n# HELP a x\n# EOF\n",
		"wrong escape in help": "# TYPE a gauge\n# HELP a \\x\na 1\n# EOF\n",
		"no _total":            "# TYPE a counter\na 1\n# EOF\n",
		"suffix of a gauge":    "# TYPE a gauge\na_total 1\n# EOF\n",
		"negative counter":     "# TYPE a counter\na_total -1\n# EOF\n",
		"fraction of a count":  "# TYPE a counter\na_total 1.5\n# EOF\n",
		"NaN":                  "# TYPE a counter\na_total NaN\n# EOF\n",
		"time stamp":           "# TYPE a gauge\na 1 1700000000\n# EOF\n",
		"two spaces":           "# TYPE a gauge\na  1\n# EOF\n",
		"the same twice":       "# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 1\n# EOF\n",
		"the same, other way":  "# TYPE a gauge\na{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n# EOF\n",
		"label twice":          "# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n# EOF\n",
		"wrong escape":         "# TYPE a gauge\na{x=\"\\t\"} 1\n# EOF\n",
		"open quote":           "# TYPE a gauge\na{x=\"1} 1\n# EOF\n",
		"comma at the end":     "# TYPE a gauge\na{x=\"1\",} 1\n# EOF\n",
		"label with a dash":    "# TYPE a gauge\na{x-y=\"1\"} 1\n# EOF\n",
		"le of a gauge":        "# TYPE a gauge\na{le=\"1.0\"} 1\n# EOF\n",
		"info of 2":            "# TYPE a info\na_info{x=\"1\"} 2\n# EOF\n",
		"names that clash":     "# TYPE a counter\na_total 1\n# TYPE a_total gauge\na_total{x=\"1\"} 1\n# EOF\n",
		"no +Inf":              histogram("h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"2.0\"} 1\nh_sum 1\nh_count 1\n"),
		"no sum":               histogram("h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n"),
		"not cumulative":       histogram("h_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
		"bounds out of order":  histogram("h_bucket{le=\"2.0\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
		"le not canonical":     histogram("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"),
		"count disagrees":      histogram("h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n"),
		"interleaved": histogram("h_bucket{link=\"a\",le=\"+Inf\"} 1\nh_bucket{link=\"b\",le=\"+Inf\"} 1\n" +
			"h_sum{link=\"a\"} 1\nh_count{link=\"a\"} 1\nh_sum{link=\"b\"} 1\nh_count{link=\"b\"} 1\n"),
	} {
		if _, err := check(text, false); err == nil {
			t.Errorf("%s: nobody complains of\n%s", name, text)
		}
	}
	for name, text := range map[string]string{
		"unit":         "# TYPE a_s gauge\n# UNIT a_s s\na_s 1\n",
		"info":         "# TYPE a info\na_info 1\n",
		"end":          "# TYPE a gauge\na 1\n# EOF\n",
		"counter name": "# TYPE a counter\na_total 1\n",
	} {
		if _, err := check(text, true); err == nil {
			t.Errorf("%s: nobody complains of this in the old format:\n%s", name, text)
		}
	}
}
