package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// capable tells, before anything is begun, which capability this process lacks
// for what it is to do.
func capable(configure bool) error {
	have, err := capabilities()
	if err != nil {
		return nil // no proc: the kernel will tell
	}
	var lacks []string
	if have&(1<<unix.CAP_NET_RAW) == 0 {
		lacks = append(lacks, "CAP_NET_RAW")
	}
	if configure && have&(1<<unix.CAP_NET_ADMIN) == 0 {
		lacks = append(lacks, "CAP_NET_ADMIN")
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s needed (be root, or give the program the capability)", os.ErrPermission, strings.Join(lacks, " and "))
}

// capabilities are what this process may do at this moment.
func capabilities() (uint64, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := bytes.Cut(b, []byte("CapEff:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 64)
}
