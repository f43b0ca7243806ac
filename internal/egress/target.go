package egress

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// A target is a host with a port in the one form in which two of them are compared.
type target struct {
	name string     // lower case ASCII, no dot at the end; empty for a literal address
	addr netip.Addr // a literal address; an IPv4 address is never written as IPv6
	port int
}

func (t target) host() string {
	if t.name != "" {
		return t.name
	}
	return t.addr.String()
}

func (t target) String() string { return net.JoinHostPort(t.host(), strconv.Itoa(t.port)) }

// local tells whether the name means the machine that looks it up, whichever that is.
func (t target) local() bool { return t.name == "localhost" || strings.HasSuffix(t.name, ".localhost") }

// newTarget brings a host, a name or a literal address without brackets, and a port into their normal form.
func newTarget(host string, port int) (target, error) {
	if port < 1 || port > 65535 {
		return target{}, errors.New("a port is a number from 1 to 65535")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return target{}, errors.New("an address with a zone")
		}
		return target{addr: addr.Unmap(), port: port}, nil
	}
	name, err := normalName(host)
	return target{name: name, port: port}, err
}

// normalName gives a name in lower case, in ASCII, without the dot at its end. What some resolver would take for an
// address, such as 2130706433 or 0x7f.1, is no name.
func normalName(s string) (string, error) {
	if len(s) > 1000 || !utf8.ValidString(s) {
		return "", errors.New("not a name of a host")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		var err error
		if s, err = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false)).ToASCII(s); err != nil {
			return "", errors.New("not a name that can be written in ASCII")
		}
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if s == "" || len(s) > 253 {
		return "", errors.New("a name has 1 to 253 characters")
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || strings.ContainsFunc(l, notOfName) {
			return "", errors.New("not a name of a host")
		}
	}
	if numeric(labels[len(labels)-1]) {
		return "", errors.New("neither a name nor an address in its usual form")
	}
	return s, nil
}

func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// numeric tells whether the last label of a name makes parsers of addresses take the whole for an IPv4 address.
func numeric(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// parseAuthority reads host:port as it stands in a request. Without a port it is standard, which may be 0: then there
// must be one. A user and a password before it are refused with all else that is of no name.
func parseAuthority(s string, standard int) (target, error) {
	host, digits := s, ""
	if rest, ok := strings.CutPrefix(s, "["); ok {
		end := strings.IndexByte(rest, ']')
		if end < 0 || !strings.Contains(rest[:end], ":") {
			return target{}, errors.New("brackets without an IPv6 address")
		}
		host, digits = rest[:end], rest[end+1:]
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Is6() {
			return target{}, errors.New("brackets without an IPv6 address")
		}
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, digits = s[:i], s[i:]
	}
	port := standard
	if digits != "" {
		var err error
		if port, err = parsePort(digits); err != nil {
			return target{}, err
		}
	}
	return newTarget(host, port)
}

func parsePort(colonAndDigits string) (int, error) {
	digits, ok := strings.CutPrefix(colonAndDigits, ":")
	if !ok || digits == "" || len(digits) > 5 || strings.Trim(digits, "0123456789") != "" {
		return 0, errors.New("a port is a number from 1 to 65535")
	}
	return strconv.Atoi(digits)
}
