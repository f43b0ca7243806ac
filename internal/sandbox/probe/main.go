package probe

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Main takes the program over when it was started in the role of the probe or of one of its victims: it never returns
// then. Otherwise it does nothing.
func Main() {
	args := os.Args
	if len(args) > 1 && args[1] == Name {
		args = args[1:] // some programs that start others call them by their path only
	}
	if len(args) == 0 {
		return
	}
	switch args[0] {
	default:
		return
	case VictimName, WaiterName:
		wait()
	case Name:
	}
	p := &probe{in: bufio.NewReader(os.Stdin), out: json.NewEncoder(os.Stdout)}
	if err := p.run(args[1:]); err != nil {
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

// portableLines are the attacks that every system has a way for.
func portableLines() []line {
	return slices.Concat(fileLines(), protectedLines(), processLines(), socketLines())
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
	if err := p.works(); err != nil {
		return fmt.Errorf("what was granted does not work, so that the rest proves nothing: %w", err)
	}
	for _, l := range lines {
		r := p.try(l)
		if err := p.out.Encode(Message{Result: &r}); err != nil {
			return err
		}
	}
	return nil
}

// works does what the probe was granted.
func (p *probe) works() error {
	for _, dir := range []string{p.Read, p.Bundle} {
		if _, err := os.ReadFile(filepath.Join(dir, "plain")); err != nil {
			return err
		}
	}
	return errors.Join(changes(p.Write), writes(filepath.Join(p.Write, "new")), writes(filepath.Join(p.Own, "new")))
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
