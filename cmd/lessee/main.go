// Command lessee gets a DHCPv4 lease for a link of this host, proves that the
// address is free, and configures the link. See `lessee help`.
package main

import "os"

func main() { os.Exit(run(os.Args)) }
