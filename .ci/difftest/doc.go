// Package difftest holds lessee's codec against two others that know nothing
// of it: insomniacslk/dhcp and gopacket. It is a module of its own, so that
// neither is in the way of whoever imports lessee.
//
// Where the three differ, the RFC's text decides. The differences that were
// found, each with its verdict, are the functions named "excused" in the tests;
// anything else is a failure.
package difftest
