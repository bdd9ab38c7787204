package main

import "testing"

func TestWithoutRandomnessHostsAndMomentsStillDiffer(t *testing.T) {
	var none [32]byte
	a, b := []byte{0x52, 0x54, 0, 0x12, 0x34, 0x56}, []byte{0x52, 0x54, 0, 0x12, 0x34, 0x57}
	seen := map[[32]byte]bool{}
	for range 3 {
		for _, hardware := range [][]byte{a, b, nil, make([]byte, 40)} {
			seen[stretched(none, hardware)] = true
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d seeds, want 12", len(seen))
	}
	if first := stretched(none, a); first == stretched([32]byte{1}, a) {
		t.Error("what the kernel has does not count")
	}
}
