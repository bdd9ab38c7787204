// Package dhcp4 is the wire format of DHCPv4: bytes to [Message] and back. It
// does no I/O and has no policy; what a message means is for others.
//
//	msg, err := dhcp4.Parse(datagram)           // RFC 2131, figure 1
//	routers, err := dhcp4.Routers.Get(msg.Options)
//
// # Three answers
//
// Reading an option has three answers, and a client must tell them apart:
//
//   - err == nil: it is there and well-formed;
//   - errors.Is(err, [ErrUnset]): the server did not send it;
//   - any other error: the server sent something that cannot be read, and the
//     error says why: "option 3 (routers): 5 bytes, want a multiple of 4".
//
// # The way of the bytes
//
// [Parse] checks the fixed fields, copies the datagram once, and splits the
// options field, then file and sname if option 52 says that they hold options
// too. Several options of one code are joined (RFC 3396) before anything is
// read from them. Values are slices of that one copy. Nothing else is decoded
// until somebody asks: a malformed option costs the message nothing, except
// for 51, 53 and 54, without which it has no meaning.
//
// [Message.Append] writes the message type first and all other options in
// their order, splits what is longer than 255 bytes, and pads to the 300 bytes
// that old relays want. Unknown options survive both ways, and JSON too.
//
// # Options
//
// table.go has a row for every option this package knows: code, name, form.
// What differs between options is in the row; how a form is written is in
// form.go and the files beside it. Text from the wire is cleaned where it is
// read: host and domain names hold letters, digits, hyphens and underscores or
// are malformed, all other text is escaped before it is shown.
package dhcp4
