package egress

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"satchel/internal/spec"
)

// echo answers in capitals at a socket, and tells how many descriptors came with what it was sent.
func echo(t *testing.T, path string) (descriptors chan int) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	descriptors = make(chan int, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b, rights := make([]byte, 100), make([]byte, 100)
			n, m, _, _, _ := c.(*net.UnixConn).ReadMsgUnix(b, rights)
			descriptors <- m
			io.WriteString(c, strings.ToUpper(string(b[:n])))
			c.Close()
		}
	}()
	return descriptors
}

// socketDoor is a door that leads to a socket, as a sandbox hands it over.
func socketDoor(t *testing.T, n spec.Net, path string) (r *rig, inner *net.UnixConn) {
	t.Helper()
	r = newRig(t, n, nil)
	at := filepath.Join(t.TempDir(), "door")
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	go r.ServeSocket(l, path)
	c, err := net.Dial("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return r, c.(*net.UnixConn)
}

func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestASocketIsReachedAndRecorded(t *testing.T) {
	path := filepath.Join(realDir(t), "s")
	got := echo(t, path)
	r, c := socketDoor(t, spec.Net{Sockets: []string{path}}, path)
	if _, _, err := c.WriteMsgUnix([]byte("hello"), unix.UnixRights(0), nil); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); string(answer) != "HELLO" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if n := <-got; n != 0 {
		t.Error("a descriptor has crossed")
	}
	c.Close()
	if a := r.passed(); a.Via != ViaSocket || a.Host != path || a.Address != path || a.Grant != "socket:"+path || a.Sent != 5 || a.Received != 5 || a.Why != "" {
		t.Errorf("%+v", a)
	}
}

// TestSocketsThatAreRefused: among them a link that a server put in a socket's place, to reach another one.
func TestSocketsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		rule  string
		grant func(dir string) (path, granted string)
	}{
		"not granted": {"egress/not-granted", func(dir string) (string, string) { return dir + "/real", dir + "/other" }},
		"a link":      {"egress/moved", func(dir string) (string, string) { return dir + "/link", dir + "/link" }},
		"behind one":  {"egress/moved", func(dir string) (string, string) { return dir + "/way/real", dir + "/way/real" }},
		"not there":   {"", func(dir string) (string, string) { return dir + "/nothing", dir + "/nothing" }},
		"a file":      {"", func(dir string) (string, string) { return dir + "/file", dir + "/file" }},
	} {
		dir := realDir(t)
		echo(t, dir+"/real")
		for _, err := range []error{os.Symlink("real", dir+"/link"), os.Symlink(".", dir+"/way"), os.WriteFile(dir+"/file", nil, 0o600)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		path, granted := c.grant(dir)
		r, conn := socketDoor(t, spec.Net{Sockets: []string{granted}}, path)
		io.WriteString(conn, "hello")
		if answer, _ := io.ReadAll(conn); len(answer) != 0 {
			t.Errorf("%s: %q", name, answer)
		}
		conn.Close()
		if a := r.only(); a.Rule != c.rule || a.Allowed != (c.rule == "") || a.Why == "" || a.Host != path || strings.Contains(a.Why, "/proc/") {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
