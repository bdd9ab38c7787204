package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/lessee/lessee/client/dhcp4"
)

func optionsCommand() *cli.Command {
	return &cli.Command{
		Name:        "options",
		Usage:       "list the DHCP options that lessee knows by name",
		Description: "Names are those of ISC's dhclient where it has one. Any other option can be given by its number, with a value in hexadecimal digits.",
		Action: func(*cli.Context) error {
			for _, s := range dhcp4.Specs() {
				if _, err := fmt.Printf("%3d  %s\n", uint8(s.OptionCode()), s.OptionName()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
