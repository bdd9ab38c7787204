package dhcp4

import "net/netip"

// The options this package knows, a row each: code, name, form of the value.
// Where no RFC is named, it is RFC 2132.
// To add one, add a row here and its name to the table below.
var (
	SubnetMask       = Option[int]{1, "subnet-mask", mask} // length in bits
	TimeOffset       = Option[int32]{2, "time-offset", seconds32}
	Routers          = Option[[]netip.Addr]{3, "routers", addrs}
	TimeServers      = Option[[]netip.Addr]{4, "time-servers", addrs}
	NameServers      = Option[[]netip.Addr]{5, "ien116-name-servers", addrs}
	DNS              = Option[[]netip.Addr]{6, "domain-name-servers", addrs}
	LogServers       = Option[[]netip.Addr]{7, "log-servers", addrs}
	CookieServers    = Option[[]netip.Addr]{8, "cookie-servers", addrs}
	LPRServers       = Option[[]netip.Addr]{9, "lpr-servers", addrs}
	ImpressServers   = Option[[]netip.Addr]{10, "impress-servers", addrs}
	ResourceServers  = Option[[]netip.Addr]{11, "resource-location-servers", addrs}
	HostName         = Option[string]{12, "host-name", hostName}
	BootSize         = Option[uint16]{13, "boot-size", u16} // 512-byte blocks
	MeritDump        = Option[string]{14, "merit-dump", freeText}
	DomainName       = Option[string]{15, "domain-name", hostName}
	SwapServer       = Option[netip.Addr]{16, "swap-server", addr}
	RootPath         = Option[string]{17, "root-path", freeText}
	ExtensionsPath   = Option[string]{18, "extensions-path", freeText}
	IPForwarding     = Option[bool]{19, "ip-forwarding", boolean}
	SourceRouting    = Option[bool]{20, "non-local-source-routing", boolean}
	PolicyFilter     = Option[[]netip.Addr]{21, "policy-filter", addrPairs} // address, mask, address, …
	MaxReassembly    = Option[uint16]{22, "max-dgram-reassembly", maxSize}
	DefaultTTL       = Option[uint8]{23, "default-ip-ttl", number[uint8](1)}
	PathMTUAging     = Option[uint32]{24, "path-mtu-aging-timeout", u32} // seconds
	PathMTUPlateaus  = Option[[]uint16]{25, "path-mtu-plateau-table", u16s}
	InterfaceMTU     = Option[uint16]{26, "interface-mtu", mtu} // bytes
	AllSubnetsLocal  = Option[bool]{27, "all-subnets-local", boolean}
	Broadcast        = Option[netip.Addr]{28, "broadcast-address", addr}
	MaskDiscovery    = Option[bool]{29, "perform-mask-discovery", boolean}
	MaskSupplier     = Option[bool]{30, "mask-supplier", boolean}
	RouterDiscovery  = Option[bool]{31, "router-discovery", boolean}
	RouterSolicit    = Option[netip.Addr]{32, "router-solicitation-address", addr}
	StaticRoutes     = Option[[]Route]{33, "static-routes", classful}
	Trailers         = Option[bool]{34, "trailer-encapsulation", boolean}
	ARPTimeout       = Option[uint32]{35, "arp-cache-timeout", u32} // seconds
	IEEE8023         = Option[bool]{36, "ieee802-3-encapsulation", boolean}
	TCPTTL           = Option[uint8]{37, "default-tcp-ttl", number[uint8](1)}
	TCPKeepalive     = Option[uint32]{38, "tcp-keepalive-interval", u32} // seconds
	TCPGarbage       = Option[bool]{39, "tcp-keepalive-garbage", boolean}
	NISDomain        = Option[string]{40, "nis-domain", hostName}
	NISServers       = Option[[]netip.Addr]{41, "nis-servers", addrs}
	NTPServers       = Option[[]netip.Addr]{42, "ntp-servers", addrs}
	VendorSpecific   = Option[[]byte]{43, "vendor-encapsulated-options", raw(1)}
	NetBIOSServers   = Option[[]netip.Addr]{44, "netbios-name-servers", addrs}
	NetBIOSDatagram  = Option[[]netip.Addr]{45, "netbios-dd-server", addrs}
	NetBIOSNodeType  = Option[uint8]{46, "netbios-node-type", u8}
	NetBIOSScope     = Option[string]{47, "netbios-scope", freeText}
	FontServers      = Option[[]netip.Addr]{48, "font-servers", addrs}
	DisplayManagers  = Option[[]netip.Addr]{49, "x-display-manager", addrs}
	RequestedAddr    = Option[netip.Addr]{50, "dhcp-requested-address", addr}
	LeaseTime        = Option[Lifetime]{51, "dhcp-lease-time", lifetime}
	Overload         = Option[uint8]{codeOverload, "dhcp-option-overload", u8}
	MsgType          = Option[MessageType]{53, "dhcp-message-type", messageType}
	ServerID         = Option[netip.Addr]{54, "dhcp-server-identifier", addr}
	ParameterList    = Option[[]Code]{55, "dhcp-parameter-request-list", codes}
	MessageText      = Option[string]{56, "dhcp-message", freeText}
	MaxMessageSize   = Option[uint16]{57, "dhcp-max-message-size", maxSize} // bytes
	T1               = Option[Lifetime]{58, "dhcp-renewal-time", lifetime}
	T2               = Option[Lifetime]{59, "dhcp-rebinding-time", lifetime}
	VendorClass      = Option[string]{60, "vendor-class-identifier", freeText}
	ClientIdentifier = Option[ClientID]{61, "dhcp-client-identifier", clientID}
	NISPlusDomain    = Option[string]{64, "nisplus-domain", hostName}
	NISPlusServers   = Option[[]netip.Addr]{65, "nisplus-servers", addrs}
	TFTPServer       = Option[string]{66, "tftp-server-name", freeText}
	BootFile         = Option[string]{67, "bootfile-name", freeText}
	HomeAgents       = Option[[]netip.Addr]{68, "mobile-ip-home-agent", addrsOrNone}
	SMTPServers      = Option[[]netip.Addr]{69, "smtp-server", addrs}
	POPServers       = Option[[]netip.Addr]{70, "pop-server", addrs}
	NNTPServers      = Option[[]netip.Addr]{71, "nntp-server", addrs}
	WWWServers       = Option[[]netip.Addr]{72, "www-server", addrs}
	FingerServers    = Option[[]netip.Addr]{73, "finger-server", addrs}
	IRCServers       = Option[[]netip.Addr]{74, "irc-server", addrs}
	StreetTalk       = Option[[]netip.Addr]{75, "streettalk-server", addrs}
	StreetTalkDA     = Option[[]netip.Addr]{76, "streettalk-directory-assistance-server", addrs}
	UserClass        = Option[[][]byte]{77, "user-class", userClass}                 // RFC 3004
	SLPAgents        = Option[[]byte]{78, "slp-directory-agent", raw(5)}             // RFC 2610
	SLPScope         = Option[[]byte]{79, "slp-service-scope", raw(2)}               // RFC 2610
	RapidCommit      = Option[struct{}]{80, "rapid-commit", flag}                    // RFC 4039
	FQDN             = Option[ClientFQDN]{81, "fqdn", fqdn}                          // RFC 4702
	RelayAgent       = Option[[]byte]{82, "relay-agent-information", raw(0)}         // RFC 3046
	Authentication   = Option[[]byte]{90, "authentication", raw(11)}                 // RFC 3118
	SystemArch       = Option[[]uint16]{93, "system-architecture", u16s}             // RFC 4578
	NetworkInterface = Option[[]byte]{94, "network-interface-identifier", raw(3)}    // RFC 4578
	MachineID        = Option[[]byte]{97, "machine-identifier", raw(2)}              // RFC 4578: type, UUID
	PosixTimezone    = Option[string]{100, "posix-timezone", freeText}               // RFC 4833
	TZDatabase       = Option[string]{101, "tzdb-timezone", zoneName}                // RFC 4833
	V6OnlyPreferred  = Option[Lifetime]{108, "v6-only-preferred", lifetime}          // RFC 8925
	CaptivePortal    = Option[string]{114, "captive-portal", freeText}               // RFC 8910: a URI
	AutoConfigure    = Option[bool]{116, "auto-config", boolean}                     // RFC 2563
	SubnetSelection  = Option[netip.Addr]{118, "subnet-selection", addr}             // RFC 3011
	DomainSearch     = Option[[]string]{119, "domain-search", domains}               // RFC 3397
	SIP              = Option[SIPServers]{120, "sip-servers", sip}                   // RFC 3361
	ClasslessRoutes  = Option[[]Route]{121, "classless-static-routes", classless}    // RFC 3442
	VendorClasses    = Option[[]VendorData]{124, "vendor-class", vendorData}         // RFC 3925
	VendorOptions    = Option[[]VendorData]{125, "vendor-options", vendorData}       // RFC 3925
	CAPWAP           = Option[[]netip.Addr]{138, "capwap-access-controllers", addrs} // RFC 5417
	ForceRenewNonce  = Option[[]byte]{145, "forcerenew-nonce-capable", raw(1)}       // RFC 6704
	TFTPServers      = Option[[]netip.Addr]{150, "tftp-servers", addrs}              // RFC 5859
	MUD              = Option[string]{161, "mud-url", freeText}                      // RFC 8520
	EncryptedDNS     = Option[[]Resolver]{162, "encrypted-dns", resolvers}           // RFC 9463
	PXELinuxMagic    = Option[[]byte]{208, "pxelinux-magic", raw(4)}                 // RFC 5071
	PXELinuxConfig   = Option[string]{209, "pxelinux-configfile", freeText}          // RFC 5071
	PXELinuxPrefix   = Option[string]{210, "pxelinux-pathprefix", freeText}          // RFC 5071
	PXELinuxReboot   = Option[Lifetime]{211, "pxelinux-reboottime", lifetime}        // RFC 5071
	SixRDPrefix      = Option[SixRD]{212, "6rd", sixRD}                              // RFC 5969
	MSRoutes         = Option[[]Route]{249, "ms-classless-static-routes", classless} // Microsoft's number for 121
	WPAD             = Option[string]{252, "wpad", freeText}                         // a URL
)

const codeOverload Code = 52

// table is every row above, for looking up by code and by name.
var table = [...]Spec{
	SubnetMask, TimeOffset, Routers, TimeServers, NameServers, DNS, LogServers, CookieServers,
	LPRServers, ImpressServers, ResourceServers, HostName, BootSize, MeritDump, DomainName,
	SwapServer, RootPath, ExtensionsPath, IPForwarding, SourceRouting, PolicyFilter, MaxReassembly,
	DefaultTTL, PathMTUAging, PathMTUPlateaus, InterfaceMTU, AllSubnetsLocal, Broadcast,
	MaskDiscovery, MaskSupplier, RouterDiscovery, RouterSolicit, StaticRoutes, Trailers, ARPTimeout,
	IEEE8023, TCPTTL, TCPKeepalive, TCPGarbage, NISDomain, NISServers, NTPServers, VendorSpecific,
	NetBIOSServers, NetBIOSDatagram, NetBIOSNodeType, NetBIOSScope, FontServers, DisplayManagers,
	RequestedAddr, LeaseTime, Overload, MsgType, ServerID, ParameterList, MessageText,
	MaxMessageSize, T1, T2, VendorClass, ClientIdentifier, NISPlusDomain, NISPlusServers,
	TFTPServer, BootFile, HomeAgents, SMTPServers, POPServers, NNTPServers, WWWServers,
	FingerServers, IRCServers, StreetTalk, StreetTalkDA, UserClass, SLPAgents, SLPScope,
	RapidCommit, FQDN, RelayAgent, Authentication, SystemArch, NetworkInterface, MachineID,
	PosixTimezone, TZDatabase, V6OnlyPreferred, CaptivePortal, AutoConfigure, SubnetSelection,
	DomainSearch, SIP, ClasslessRoutes, VendorClasses, VendorOptions, CAPWAP, ForceRenewNonce,
	TFTPServers, MUD, EncryptedDNS, PXELinuxMagic, PXELinuxConfig, PXELinuxPrefix, PXELinuxReboot,
	SixRDPrefix, MSRoutes, WPAD,
}
