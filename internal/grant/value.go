package grant

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const defaultPort = 443

// word is what stands after "net:".
func (h Host) word() string {
	name := h.Name
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	switch {
	case h.Raw:
		return fmt.Sprintf("tcp:%s:%d", name, h.Port)
	case h.Port == defaultPort:
		return name
	}
	return fmt.Sprintf("%s:%d", name, h.Port)
}

// Word gives the host as it is granted: "net:api.example.com:8443".
func (h Host) Word() string { return string(KindNet) + ":" + h.word() }

func parseNet(v string, _ Machine) (string, error) {
	if v == anything {
		return v, nil
	}
	h, err := parseHost(v)
	if err != nil {
		return "", err
	}
	return h.word(), nil
}

// parseHost reads HOST, HOST:PORT and tcp:HOST:PORT; an IPv6 address stands in brackets.
func parseHost(v string) (Host, error) {
	if strings.Contains(v, "/") {
		return Host{}, errors.New("a host is named without what stands before and after it in an address")
	}
	rest, raw := strings.CutPrefix(v, "tcp:")
	name, port := rest, ""
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasSuffix(rest, "]") {
		name, port = rest[:i], rest[i+1:]
	} else if raw {
		return Host{}, errors.New("a raw connection needs a port: tcp:HOST:PORT")
	}
	h := Host{Port: defaultPort, Raw: raw}
	var err error
	if port != "" || name != rest {
		if h.Port, err = portNumber(port); err != nil {
			return Host{}, err
		}
	}
	bare, bracket := strings.CutPrefix(name, "[")
	bare, closed := strings.CutSuffix(bare, "]")
	if bracket != closed || bracket != strings.Contains(bare, ":") {
		return Host{}, errors.New("an IPv6 address stands in brackets")
	}
	h.Name, err = hostName(bare)
	return h, err
}

func portNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != s {
		return 0, errors.New("a port is a number from 1 to 65535")
	}
	return int(n), nil
}

// hostName gives the one form of a host's name that is compared. Forms that programs read differently, such as 0x7f.1,
// are refused, and so is this machine: its ports are granted by number.
func hostName(s string) (string, error) {
	const most = 253
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if addr, err := netip.ParseAddr(s); err == nil {
		return address(addr)
	}
	switch {
	case s == "localhost", strings.HasSuffix(s, ".localhost"):
		return "", errors.New("this machine's ports are granted as port:N")
	case s == anything, s == "tcp", s == "":
		return "", errors.New("there is no host")
	case strings.Contains(s, "*"):
		return "", errors.New("hosts are granted by their whole name, or all as net:any")
	case len(s) > most:
		return "", errors.New("no host has so long a name")
	}
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if err := hostLabel(l); err != nil {
			return "", err
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		return "", errors.New("an address has four numbers from 0 to 255")
	}
	return s, nil
}

func hostLabel(l string) error {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return errors.New("is no host's name")
	}
	for _, c := range []byte(l) {
		switch {
		case c >= 0x80:
			return errors.New("a host's name is written in ASCII, such as xn--bcher-kva.example")
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return errors.New("is no host's name")
		}
	}
	return nil
}

func address(a netip.Addr) (string, error) {
	a = a.Unmap()
	switch {
	case a.Zone() != "":
		return "", errors.New("an address with a zone cannot be granted")
	case a.IsLoopback():
		return "", errors.New("this machine's ports are granted as port:N")
	case a.IsUnspecified(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "", errors.New("is no host's address")
	}
	return a.String(), nil
}

// public tells whether a host is a name, or an address of the internet. What names lead to is checked when it is dialled.
func (h Host) public() bool {
	a, err := netip.ParseAddr(h.Name)
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return err != nil || !a.IsPrivate() && !a.IsLinkLocalUnicast() && !shared.Contains(a)
}

func parsePath(v string, m Machine) (string, error) { return m.path(v) }

// parseSocket takes the path of a Unix socket. Its length is what the system has room for.
func parseSocket(v string, m Machine) (string, error) {
	const most = 107
	if m.OS == "windows" {
		return "", errors.New("sockets are not granted on Windows")
	}
	p, err := m.path(v)
	if err == nil && len(p) > most {
		err = errors.New("is longer than the path of any socket")
	}
	return p, err
}

func parsePort(v string, _ Machine) (string, error) {
	_, err := portNumber(v)
	return v, err
}

// parseProgram takes a name that is looked up, or an absolute path.
func parseProgram(v string, m Machine) (string, error) {
	if v == anything {
		return v, nil
	}
	if strings.ContainsAny(v, `/\~`) {
		return m.path(v)
	}
	for i, c := range []byte(v) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !letter && (i == 0 || !strings.ContainsRune(".+-", rune(c))) {
			return "", errors.New("is no program's name")
		}
	}
	return v, nil
}

func parseEnv(v string, _ Machine) (string, error) {
	for i, c := range []byte(v) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return "", errors.New("is no variable's name")
		}
	}
	if len(v) > 128 {
		return "", errors.New("is too long for a variable's name")
	}
	return v, nil
}

func parseKey(v string, _ Machine) (string, error) {
	if len(v) > 256 {
		return "", errors.New("is too long for an answer's key")
	}
	return v, plainText(v)
}

// plainText refuses what could not be shown, or kept in JSON, as it is.
func plainText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("is no UTF-8 text")
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("has a control character")
	}
	return nil
}

// parse reads a limit: a number with a unit.
func (l limitField) parse(v string, _ Machine) (string, error) {
	if v == anything && l.usual == 0 {
		return v, nil
	}
	const most = 1 << 50
	digits := strings.TrimRight(v, "KMGTsmh")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > most || digits[0] == '+' {
		return "", errors.New("a limit is a number above zero with a unit")
	}
	unit := v[len(digits):]
	if unit != "" || l.byUnits == "smh" {
		i := strings.Index(l.byUnits, unit)
		if len(unit) != 1 || i < 0 {
			return "", fmt.Errorf("the unit is one of %q", l.byUnits)
		}
		if l.byUnits == "KMGT" {
			i++
		}
		for ; i > 0; i-- {
			if n *= l.perUnits; n > most {
				return "", errors.New("is more than any machine has")
			}
		}
	}
	if n < l.least {
		return "", fmt.Errorf("no server starts with less than %s", l.word(l.least))
	}
	return l.word(n), nil
}

// word writes a limit with the largest unit that leaves a whole number.
func (l limitField) word(n int64) string {
	unit := ""
	units := l.byUnits
	if units == "smh" {
		unit, units = "s", units[1:]
	}
	for i := 0; i < len(units) && n%l.perUnits == 0 && n > 0; i++ {
		n, unit = n/l.perUnits, units[i:i+1]
	}
	return strconv.FormatInt(n, 10) + unit
}

// number is the value of a canonical word; zero for "any".
func (l limitField) number(v string) int64 {
	digits := strings.TrimRight(v, "KMGTsmhany")
	n, _ := strconv.ParseInt(digits, 10, 64) // "any" has no digits
	unit := v[len(digits):]
	if i := strings.Index(l.byUnits, unit); len(unit) == 1 && i >= 0 {
		if l.byUnits == "KMGT" {
			i++
		}
		for ; i > 0; i-- {
			n *= l.perUnits
		}
	}
	return n
}
