package egress

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"satchel/internal/problem"
)

// An Attempt is one try of a server to reach something: a connection, or one request to the HTTP proxy. Its texts are
// the server's own where it was refused: show them with term.VisibleLine.
type Attempt struct {
	Time    time.Time // when it began
	Via     Via
	Host    string // the name or literal address in its normal form; as it was written when it has none, cut at 255 bytes
	Port    int    // 0 when there was none that could be read
	Address string // the address and port that were connected to, or refused; empty when it did not come to that
	Proxy   string // host:port of the corporate proxy that it went through; then that proxy chose the address
	Allowed bool   // false when a rule refused it, be it in the middle
	Rule    string // the id of the rule that refused it
	Why     string // why it was refused, or why it failed although it was allowed
	// Grant is the grant that let it pass, or that would have, as a person types it; empty when none would.
	Grant    string
	Sent     int64 // bytes to the far side
	Received int64 // bytes from there
}

// Via is the door that was knocked at, and how.
type Via string

// The doors.
const (
	ViaHTTP    Via = "http"    // a request to the HTTP proxy
	ViaConnect Via = "connect" // a tunnel through the HTTP proxy
	ViaSOCKS   Via = "socks"
	ViaPort    Via = "port"   // a granted port of this machine
	ViaSocket  Via = "socket" // a granted Unix socket: Host and Address are its path, Port is 0
)

// A meter counts what went to the far side and came from there.
type meter struct{ sent, received atomic.Int64 }

// A visit is an attempt that goes on.
type visit struct {
	Attempt
	meter
}

func begin(via Via) *visit {
	return &visit{Attempt: Attempt{Time: time.Now(), Via: via, Allowed: true}}
}

// meant notes what was asked for.
func (v *visit) meant(t target) { v.Host, v.Port = t.host(), t.port }

// wrote notes what was asked for in a form that could not be read: of an address only where it leads, since the rest can
// hold secrets.
func (v *visit) wrote(address string) {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	if i := strings.IndexAny(address, "/?#"); i >= 0 {
		address = address[:i]
	}
	v.Host = cut(address[strings.LastIndexByte(address, '@')+1:], 255)
}

// cut bounds what others wrote.
func cut(s string, most int) string { return s[:min(len(s), most)] }

// refuse notes that a rule refused the attempt, and gives the problem back.
func (v *visit) refuse(p *problem.Problem) *problem.Problem {
	v.Allowed, v.Rule, v.Why = false, p.Rule, p.Message
	return p
}

// fail notes why an attempt that was allowed came to nothing.
func (v *visit) fail(format string, args ...any) {
	if v.Allowed && v.Why == "" {
		v.Why = cut(fmt.Sprintf(format, args...), 500)
	}
}

// unreachable notes why an attempt that was allowed came to nothing, and says it to the client.
func (v *visit) unreachable(t target, err error) *problem.Problem {
	v.fail("%v", err)
	return problem.New(problem.Failed, "egress/unreachable", "%s", cut("cannot be reached: "+err.Error(), 500)).At(t.String()).From(page)
}

// end records the attempt.
func (p *Proxy) end(v *visit) {
	v.Sent, v.Received = v.sent.Load(), v.received.Load()
	if p.config.Record != nil {
		p.config.Record(v.Attempt)
	}
}
