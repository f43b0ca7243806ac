package probe

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// Main takes the program over when it was started in the role of the probe or of one of its victims: it never returns
// then. Otherwise it does nothing.
func Main() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	default:
		return
	case VictimName, WaiterName:
		wait()
	case Name:
	}
	p := &probe{in: bufio.NewReader(os.Stdin), out: json.NewEncoder(os.Stdout)}
	if err := p.run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, Name+":", err)
		os.Exit(2)
	}
	os.Exit(0)
}

// A probe is one run of lines.
type probe struct {
	Setup
	in  *bufio.Reader
	out *json.Encoder
}

// A line is an attack: no error means that it worked.
type line struct {
	group, name string
	attack      func(*probe) error
	deadly      bool // who tries may be killed, which Go takes for a fault of its own: tried in a program of its own
	root        bool // outside a sandbox only root can do it
}

// errNotHere is an attack that this machine has no ground for.
var errNotHere = errors.New("this machine has no ground for it")

// run reads the setup and tries all lines, or the one that args names: that one as an exit code, 0 for open.
func (p *probe) run(args []string) error {
	text, err := p.in.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &p.Setup); err != nil {
		return err
	}
	lines := lines()
	if len(args) == 1 {
		return p.alone(lines, args[0])
	}
	for _, l := range lines {
		r := p.try(l)
		if err := p.out.Encode(Message{Result: &r}); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) alone(lines []line, name string) error {
	i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
	if i < 0 {
		return fmt.Errorf("no line %q", name)
	}
	return lines[i].attack(p)
}

func (p *probe) try(l line) Result {
	attack := l.attack
	if l.deadly {
		attack = func(p *probe) error { return p.inAnother(l.name) }
	}
	err := attack(p)
	r := Result{Group: l.group, Line: l.name, Open: err == nil, Tried: !errors.Is(err, errNotHere), Root: l.root}
	if err != nil {
		r.Why = err.Error()
	}
	return r
}

// inAnother tries a line in a process of its own: what kills it is an answer too.
func (p *probe) inAnother(name string) error {
	setup, err := json.Marshal(p.Setup)
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{Name, name}, Env: os.Environ(), Stdin: strings.NewReader(string(setup) + "\n")}
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if status := e.Sys().(syscall.WaitStatus); status.Signaled() {
			return fmt.Errorf("killed by %s", status.Signal())
		}
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return errors.New(strings.TrimPrefix(first, Name+": "))
	}
	return err
}

// ask waits until the host has done something.
func (p *probe) ask(a Ask) error {
	if err := p.out.Encode(Message{Ask: a}); err != nil {
		return err
	}
	_, err := p.in.ReadString('\n')
	return err
}

// holds is no error when a text has the secret in it.
func (p *probe) holds(text []byte) error {
	if strings.Contains(string(text), p.Secret) {
		return nil
	}
	return fmt.Errorf("%d bytes without the secret", len(text))
}

func (p *probe) reads(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return bare(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return bare(err)
	}
	return p.holds(text)
}

// bare is an error without the path, which differs from run to run.
func bare(err error) error {
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return e
	}
	return err
}
