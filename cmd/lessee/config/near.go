package config

import (
	"slices"
	"strings"
)

// meant says which of the known names was probably meant by name: the nearest
// one, if it is near. Else it says nothing.
func meant(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "; " + near + " is probably meant"
	}
	return ""
}

// Nearest returns the one known name that begins with name, else the one that
// takes the fewest changes to become name; "" if that is more than a third of
// its letters, for then it is another word and not a slip.
func Nearest(name string, known []string) (best string) {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if len(name) > 64 {
		return "" // not a slip, and not worth the time
	}
	begins := func(k string) bool { return name != "" && strings.HasPrefix(k, name) }
	if i := slices.IndexFunc(known, begins); i >= 0 && !slices.ContainsFunc(known[i+1:], begins) {
		return known[i]
	}
	least := len(name) + 1
	for _, k := range known {
		if d := distance(name, k); d < least && d <= max(1, len(k)/3) && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters that are to be inserted, deleted, replaced, or
// swapped with their neighbour, to make b of a.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := slices.Clone(last)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
