package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"satchel/internal/egress"
	"satchel/internal/sandbox"
	"satchel/internal/spec"
)

// echoMode makes this program a server that answers each line with itself.
const echoMode = "echo-server"

func echo() { _, _ = io.Copy(os.Stdout, os.Stdin) }

// A way is how a server is started.
type way string

const (
	bare     way = "bare"
	offline  way = "sandboxed"
	withNet  way = "sandboxed, with proxy"
	mostWait     = 20 * time.Second
)

// A server is what is started.
type server struct {
	name string
	argv []string
}

// servers gives those that this machine can start.
func servers() ([]server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	return []server{
		{"node", []string{node, "-e", `process.stdin.on("data", d => process.stdout.write(d))`}},
		{"a Go program", []string{self, echoMode}},
	}, nil
}

// A bench starts servers.
type bench struct {
	launcher *sandbox.Launcher
	dir      string // a server's own folder
}

type process interface {
	Wait() (int, error)
	Kill()
}

// A child is a process that nothing holds.
type child struct{ cmd *exec.Cmd }

// Wait implements process.
func (c child) Wait() (int, error) {
	err := c.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	return c.cmd.ProcessState.ExitCode(), err
}

// Kill implements process.
func (c child) Kill() { _ = c.cmd.Process.Kill() } // it may have ended

// A running server, and how long it took from the start to its first reply.
type running struct {
	process
	in    *os.File
	out   *bufio.Reader
	outR  *os.File
	proxy *egress.Proxy
	took  time.Duration
	first int // the pid of the sandbox's first process; 0 without one
}

// start starts a server and waits for its first reply.
func (b *bench) start(ctx context.Context, s server, w way) (*running, error) {
	inR, inW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, inR.Close(), inW.Close())
	}
	r := &running{in: inW, out: bufio.NewReader(outR), outR: outR}
	before := children()
	begin := time.Now()
	if w == bare {
		cmd := &exec.Cmd{Path: s.argv[0], Args: s.argv, Env: []string{"PATH=/usr/bin:/bin", "HOME=" + b.dir}, Dir: b.dir, Stdin: inR, Stdout: outW, Stderr: os.Stderr}
		ownSession(cmd) // the kernel shares processors out by session, and a sandboxed server has one
		r.process, err = child{cmd}, cmd.Start()
	} else {
		r.process, err = b.confined(ctx, r, s, w, inR, outW)
	}
	inR.Close()
	outW.Close()
	if err != nil {
		return nil, errors.Join(err, inW.Close(), outR.Close())
	}
	if _, err := fmt.Fprintln(r.in, "hello"); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	if err := outR.SetReadDeadline(time.Now().Add(mostWait)); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	if line, err := r.out.ReadString('\n'); err != nil || line != "hello\n" {
		return nil, errors.Join(fmt.Errorf("%s, %s: it said %q: %w", s.name, w, line, err), r.stop())
	}
	r.took = time.Since(begin)
	if w != bare {
		r.first = newest(before)
	}
	return r, nil
}

func (b *bench) confined(ctx context.Context, r *running, s server, w way, in, out *os.File) (process, error) {
	c := sandbox.Command{Path: s.argv[0], Argv: s.argv, Dir: b.dir, Stdin: in, Stdout: out, Stderr: os.Stderr, Events: func(sandbox.Event) {}}
	var accept sandbox.Accept
	if w == withNet {
		c.Sandbox.Net = spec.Net{Hosts: []spec.Host{{Name: "api.example.com", Port: 443}}}
		r.proxy = egress.New(egress.Config{ID: "local/bench", Net: c.Sandbox.Net})
		accept = func(d sandbox.Door, l net.Listener) {
			if d == sandbox.SOCKSDoor {
				go r.proxy.ServeSOCKS(l)
			} else {
				go r.proxy.ServeHTTP(l)
			}
		}
	}
	return b.launcher.Start(ctx, c, accept)
}

// stop ends a server.
func (r *running) stop() error {
	r.in.Close()
	r.Kill()
	_, err := r.Wait()
	if r.proxy != nil {
		r.proxy.Close()
	}
	return errors.Join(err, r.outR.Close())
}

// call sends a line and waits for it to come back.
func (r *running) call() (time.Duration, error) {
	begin := time.Now()
	if _, err := r.in.WriteString("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"); err != nil {
		return 0, err
	}
	_, err := r.out.ReadSlice('\n')
	return time.Since(begin), err
}

// children are the pids of the processes that this one has started.
func children() map[int]bool {
	pids := map[int]bool{}
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return pids
	}
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread may end meanwhile
		for pid := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(pid); err == nil {
				pids[n] = true
			}
		}
	}
	return pids
}

func newest(before map[int]bool) int {
	for pid := range children() {
		if !before[pid] {
			return pid
		}
	}
	return 0
}

// share is the proportional memory of a process in bytes: its own, and its part of what is shared (smaps_rollup, Pss).
func share(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "Pss:" {
			kb, err := strconv.ParseFloat(words[1], 64)
			return kb * 1024, err
		}
	}
	return 0, errors.New("no Pss line")
}
