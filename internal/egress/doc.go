// Package egress is the proxy at a sandbox's only door to the network.
//
// Use it for a server whose grant names something of the network: the sandbox hands over listeners that were opened in
// the server's own world, and a [Proxy] answers on them, as an HTTP proxy, as a SOCKS5 proxy, and for each granted port
// of this machine. A connection is made when four things hold:
//
//   - its name and port are granted, by exact comparison of the one normal form of a name;
//   - the address that the system is about to connect to is a public one, or is itself granted; this is judged at the
//     moment of connecting, so that no answer of a name server gets around it;
//   - the first bytes fit: TLS for that very name, or HTTP requests for that very name, each of them; any other protocol
//     only where the grant says so;
//   - there is room: connections at once, time and memory are bounded.
//
// Everything else is refused with the rule and, where there is one, with the command that would grant it. Every attempt
// is recorded once. Nothing here trusts the server: it is the adversary.
package egress
