package egress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"satchel/internal/spec"
)

// More connections than there may be at once wait, and get their turn.
func TestConnectionsWaitForTheirTurn(t *testing.T) {
	var now, most atomic.Int32
	l := listen(t)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		runtime.Gosched()
		io.WriteString(w, "ok")
	})}
	t.Cleanup(func() { s.Close() })
	go s.Serve(l)
	port := portOf(t, l.Addr().String())
	r := newRig(t, grant(port), nil, func(_ *Config, l *limits) { l.connections = 3 })
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			if answer := r.ask(get("127.0.0.1", port, "/")); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
				t.Errorf("%q", answer)
			}
		})
	}
	all.Wait()
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
	if list := r.done(); len(list) != 40 {
		t.Errorf("%d attempts", len(list))
	}
}

// When none ends for too long, the next is told so, at each door.
func TestTooManyConnections(t *testing.T) {
	port, _ := listener(t)
	few := func(_ *Config, l *limits) { l.connections, l.wait = 1, 20*time.Millisecond }
	for door, want := range map[Via]string{ViaHTTP: "HTTP/1.1 503 Refused by Satchel (egress/busy)\r\n", ViaSOCKS: "", ViaPort: ""} {
		r := newRig(t, grant(port), nil, few)
		held, _, status := r.tunnelTo(fmt.Sprint("127.0.0.1:", port))
		if !strings.Contains(status, " 200 ") {
			t.Fatal(status)
		}
		address := map[Via]string{ViaHTTP: r.http, ViaSOCKS: r.socks, ViaPort: r.serveOn(func(l net.Listener) { r.ServePort(l, 77) })}[door]
		answer, _ := io.ReadAll(dialDoor(t, address))
		if !strings.HasPrefix(string(answer), want) || want == "" && len(answer) > 0 {
			t.Errorf("%s: %q", door, answer)
		}
		held.Close()
		list := r.done()
		busy := list[len(list)-1]
		if len(list) != 2 || busy.Via != door || busy.Allowed || busy.Rule != "egress/busy" || (door == ViaPort) != (busy.Port == 77) {
			t.Errorf("%s: %+v", door, list)
		}
	}
}

func TestIdleTunnelsEnd(t *testing.T) {
	for name, short := range map[string]func(*Config, *limits){
		"both silent": func(_ *Config, l *limits) { l.idle = 50 * time.Millisecond },
		"half ended":  func(_ *Config, l *limits) { l.halfOpen = 50 * time.Millisecond },
	} {
		l := listen(t)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello")
			<-t.Context().Done() // it never ends its half
			c.Close()
		}()
		port := portOf(t, l.Addr().String())
		n := grant(port)
		n.Hosts[0].Raw = true
		r := newRig(t, n, nil, short)
		_, c := r.socksRequest(byName(1, "127.0.0.1", port))
		expect(t, c, "hello")
		if name == "half ended" {
			c.(*net.TCPConn).CloseWrite()
		}
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the tunnel does not end", name)
		}
		if a := r.passed(); a.Received != 5 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// A tunnel in which only one side speaks is not idle.
func TestATunnelIsNotIdleWhileOneSideSpeaks(t *testing.T) {
	const idle = 300 * time.Millisecond
	l := listen(t)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		tick := time.NewTicker(idle / 10)
		defer tick.Stop()
		for range 30 {
			<-tick.C
			io.WriteString(c, "x")
		}
	}()
	port := portOf(t, l.Addr().String())
	n := grant(port)
	n.Hosts[0].Raw = true
	r := newRig(t, n, nil, func(_ *Config, l *limits) { l.idle = idle })
	_, c := r.socksRequest(byName(1, "127.0.0.1", port))
	if all, err := io.ReadAll(c); len(all) != 30 {
		t.Errorf("%d bytes, %v", len(all), err)
	}
}

// What a client does not read holds the far side back, and is not kept here.
func TestBackpressure(t *testing.T) {
	l := listen(t)
	var written atomic.Int64
	blocked := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 1<<20)
		for range 1000 { // 1 GB
			c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
			n, err := c.Write(buf)
			written.Add(int64(n))
			if err != nil {
				break
			}
		}
		close(blocked)
	}()
	port := portOf(t, l.Addr().String())
	n := grant(port)
	n.Hosts[0].Raw = true
	r := newRig(t, n, nil)
	_, c := r.socksRequest(byName(1, "127.0.0.1", port))
	<-blocked
	if w := written.Load(); w > 200<<20 {
		t.Errorf("%d bytes were taken from a server whose client reads nothing", w)
	}
	c.Close()
	if a := r.passed(); a.Received == 0 {
		t.Errorf("%+v", a)
	}
}

// Close ends everything, at whatever it stands, and leaves no goroutine behind.
func TestCloseLeavesNothing(t *testing.T) {
	a := newAuthority(t)
	secure := webServer(t, a.server("api.test"))
	silent := listen(t) // never answers
	port := portOf(t, silent.Addr().String())
	n := grant(port, "api.test")
	n.Hosts = append(n.Hosts, spec.Host{Name: "slow.test", Port: 443}, spec.Host{Name: "127.0.0.1", Port: secure}, spec.Host{Name: "raw.test", Port: port, Raw: true})
	n.Ports = []int{port}
	lookedUp := make(chan bool, 100)
	r := newRig(t, n, names{"api.test": always("127.0.0.1"), "raw.test": always("127.0.0.1"), "slow.test": func(int) []string {
		lookedUp <- true
		return []string{silence}
	}})
	bridge := r.serveOn(func(l net.Listener) { r.ServePort(l, port) })

	dialDoor(t, r.http)  // says nothing
	dialDoor(t, r.socks) // says nothing
	dialDoor(t, bridge)
	fmt.Fprint(dialDoor(t, r.http), "GET http://")
	fmt.Fprint(dialDoor(t, r.socks), "\x05\x01\x00\x05")
	fmt.Fprintf(dialDoor(t, r.http), "GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n\r\n", port)                                 // waits for an answer
	fmt.Fprintf(dialDoor(t, r.http), "POST http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\nContent-Length: 1000000\r\n\r\nhalf", port) // sends a body
	fmt.Fprint(dialDoor(t, r.http), "CONNECT slow.test:443 HTTP/1.1\r\nHost: slow.test\r\n\r\n")
	_, _, status := r.tunnelTo(fmt.Sprint("127.0.0.1:", port)) // first bytes
	code, _ := r.socksRequest(byName(1, "raw.test", port))     // tunnel
	if !strings.Contains(status, " 200 ") || code != 0 {
		t.Fatal(status, code)
	}
	for range 5 { // the bridge, two requests, two tunnels
		if _, err := silent.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	<-lookedUp
	for len(r.slots) < 10 {
		runtime.Gosched()
	}
	r.Close()
	r.Close()
	noGoroutinesLeft(t)
	late := listen(t)
	r.ServeHTTP(late)
	if _, err := net.Dial("tcp", late.Addr().String()); err == nil {
		t.Error("a closed proxy keeps a listener open")
	}
	for _, a := range r.attempts {
		if !a.Allowed && a.Rule != "egress/request" || a.Host == "slow.test" && !strings.Contains(a.Why, "canceled") {
			t.Errorf("%+v", a)
		}
	}
}

// The doors close with their listeners; what is open stays.
func TestTheListenersEnd(t *testing.T) {
	port := webServer(t, nil)
	r := newRig(t, grant(port), nil)
	l := listen(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.ServeHTTP(l)
	}()
	c := dialDoor(t, l.Addr().String())
	br := bufio.NewReader(c)
	for i := range 2 {
		fmt.Fprintf(c, "GET http://127.0.0.1:%d/ HTTP/1.1\r\nHost: 127.0.0.1:%[1]d\r\n\r\n", port)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		if i == 0 {
			l.Close()
			<-ended
		}
	}
}

// broken is a listener that fails before it works.
type broken struct {
	net.Listener
	errs []error
}

func (b *broken) Accept() (net.Conn, error) {
	if len(b.errs) > 0 {
		err := b.errs[0]
		b.errs = b.errs[1:]
		return nil, err
	}
	return b.Listener.Accept()
}

func TestADoorSurvivesAShortageOfDescriptors(t *testing.T) {
	port := webServer(t, nil)
	r := newRig(t, grant(port), nil)
	l := &broken{listen(t), []error{&net.OpError{Op: "accept", Err: syscall.EMFILE}, &net.OpError{Op: "accept", Err: syscall.ECONNABORTED}}}
	go r.ServeHTTP(l)
	r.http = l.Addr().String()
	if answer := r.ask(get("127.0.0.1", port, "/")); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
		t.Errorf("%q", answer)
	}
	r.ServeHTTP(&broken{listen(t), []error{errors.New("something else")}}) // ends
}
