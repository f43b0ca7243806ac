package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A dialog is a terminal with a program in front of it, and a person who waits for words before typing.
type dialog struct {
	t    *testing.T
	side *os.File // the person's
	cmd  *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
	read int           // how much of seen has been waited for
	more chan struct{} // something came, or nothing will
}

// patience is how long a word may take on a busy machine.
const patience = 60 * time.Second

// openTerminal starts satchel in dir on a terminal of its own.
func openTerminal(t *testing.T, dir, term string, args ...string) *dialog {
	t.Helper()
	side, other := terminal(t)
	if err := unix.IoctlSetWinsize(int(side.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	x := &dialog{t: t, side: side, cmd: exec.Command("satchel", args...), more: make(chan struct{}, 1)}
	x.cmd.Dir = dir
	x.cmd.Env = []string{"HOME=" + home, "SATCHEL_HOME=" + filepath.Join(home, "satchel"), "PATH=" + os.Getenv("PATH"), "TERM=" + term}
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = other, other, other
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil { // the program's end is then the end of what it says
		t.Fatal(err)
	}
	go x.listen()
	return x
}

func (x *dialog) listen() {
	buf := make([]byte, 4096)
	for {
		n, err := x.side.Read(buf)
		x.mu.Lock()
		x.seen.Write(buf[:n])
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			close(x.more)
			return
		}
	}
}

// expect waits for words that come after those that were waited for before.
func (x *dialog) expect(words string) {
	x.t.Helper()
	late := time.After(patience)
	for {
		x.mu.Lock()
		at := bytes.Index(x.seen.Bytes()[x.read:], []byte(words))
		if at >= 0 {
			x.read += at + len(words)
		}
		x.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case _, open := <-x.more:
			if !open {
				x.fail(words)
			}
		case <-late:
			x.fail(words)
		}
	}
}

func (x *dialog) fail(words string) {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	_ = x.cmd.Process.Kill()
	x.t.Fatalf("%q never came:\n%q", words, x.seen.String())
}

// hold is what the terminal says, and what is typed then, in turn.
func (x *dialog) hold(turns ...string) {
	x.t.Helper()
	for i := 0; i < len(turns); i += 2 {
		x.expect(turns[i])
		if i+1 < len(turns) {
			if _, err := x.side.WriteString(turns[i+1]); err != nil {
				x.t.Fatal(err)
			}
		}
	}
}

// ends waits for the end of the program with an exit code.
func (x *dialog) ends(code int) {
	x.t.Helper()
	err := x.cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		x.t.Fatal(err)
	}
	if got := x.cmd.ProcessState.ExitCode(); got != code {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.t.Errorf("exit code %d, want %d\n%q", got, code, x.seen.String())
	}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

const enter = "\r"

// now is how the form shows the question that is being asked: keys typed before it is shown go to the one before.
func now(title string) string { return "\x1b[36m" + title }

// Line by line: an invalid value is corrected, the rest are defaults.
func TestInitAsksLineByLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := openTerminal(t, dir, "dumb", "init")
	x.hold(
		"Name [", "notes\n", "Author [", "Ann\n", "Display name", "\n", "Version [1.0.0]:", "one\n", `"one" is not a semantic version`, "", "Version [1.0.0]:", "1.2.3\n",
		"Description", "Keeps notes.\n", "long description?", "\n", "e-mail and page?", "\n", "links", "\n", "pictures", "\n", "between 1 and 4:", "4\n", "Entry point", "\n",
		"tools that the server provides?", "y\n", "Name of the tool:", "save\n", "What it does", "\n", "Add another tool?", "n\n", "more tools", "\n", "Add prompts", "\n",
		"compatible with?", "\n", "Add options", "\n", "Keywords", "\n", "Licence", "MIT\n", "Repository", "\n", "translated?", "\n", "between 1 and 3:", "1\n",
		"wrote", "", "satchel pack",
	)
	x.ends(0)
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name": "notes"`, `"version": "1.2.3"`, `"type": "binary"`, `"name": "save"`, `"license": "MIT"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in\n%s", want, data)
		}
	}
}

// In the full form shift and tab go back, and enter takes what stands there.
func TestInitAsksInAForm(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "notes")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	x := openTerminal(t, dir, "xterm", "init")
	x.hold(now("Name:"), enter, now("Author:"), "\x1b[Z", now("Name:"), "-mine"+enter, now("Author:"), enter, now("Display name"), enter,
		now("Version:"), "\x7f1"+enter, now("Description"), enter)
	for _, question := range []string{"long", "e-mail", "links:", "pictures", "Type", "Entry", "tools", "prompts", "compatible", "options"} {
		x.hold(question, enter)
	}
	x.hold(now("Keywords"), enter, now("Licence"), enter, now("Repository"), enter, "translated", enter, "Write", enter, "wrote")
	x.ends(0)
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name": "notes-mine"`, `"version": "1.0.1"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in\n%s", want, data)
		}
	}
}

// Stopping writes nothing, in either mode, at the first question and at the last.
func TestInitIsStopped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		term  string
		args  []string
		turns []string
	}{
		"lines":         {"dumb", []string{"init"}, []string{"Name [", "\x03"}},
		"lines, later":  {"dumb", []string{"init"}, []string{"Name [", "\n", "Author [", "\n", "Display", "x\n", "Version", "\x03"}},
		"end of input":  {"dumb", []string{"init"}, []string{"Name [", "\x04"}},
		"form":          {"xterm", []string{"init"}, []string{"The extension", "\x03"}},
		"form, later":   {"xterm", []string{"init"}, []string{now("Name:"), enter, now("Author:"), enter, now("Display"), "x\x03"}},
		"a template":    {"dumb", []string{"init", "-t", "python"}, []string{"Name [", "\x03"}},
		"by the answer": {"dumb", []string{"init", "-t", "python"}, []string{"Name [", "a\n", "Author [", "\n", "Display", "\n", "Version", "\n", "Description", "\n", "between 1 and 3:", "3\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			x := openTerminal(t, dir, c.term, c.args...)
			x.hold(append(c.turns, "interrupted; nothing was changed")...)
			x.ends(130)
			if left := names(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// A signal that comes from elsewhere, such as the closing of a window manager, ends a form too, and leaves the terminal
// as it was.
func TestInitIsStoppedBySignals(t *testing.T) {
	t.Parallel()
	for term, question := range map[string]string{"dumb": "Name [", "xterm": now("Name:")} {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(term+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				x := openTerminal(t, dir, term, "init")
				x.hold(question)
				if err := x.cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				x.hold("interrupted; nothing was changed")
				x.ends(130)
				if left := names(t, dir); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
				flags, err := unix.IoctlGetTermios(int(x.side.Fd()), unix.TCGETS)
				if err != nil || flags.Lflag&(unix.ICANON|unix.ECHO) != unix.ICANON|unix.ECHO {
					t.Errorf("the terminal is left raw: %+v, %v", flags, err)
				}
			})
		}
	}
}

// The drop-in asks with the same form, and begins as the reference does.
func TestTheDropinAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := openTerminal(t, dir, "dumb", "mcpb", "init")
	x.hold("This utility will help", "", "Name [", "\x04", "Cancelled")
	x.ends(1)
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A template asks only for what differs between two projects.
func TestInitTemplateAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := openTerminal(t, dir, "dumb", "init", "weather", "--template", "python")
	x.hold("Name [weather]:", "rain\n", "Author [", "Ann\n", "Display name", "\n", "Version", "\n", "Description", "Says when it rains.\n", "between 1 and 3:", "1\n", "wrote")
	x.ends(0)
	data, err := os.ReadFile(filepath.Join(dir, "weather", "manifest.json"))
	if err != nil || !strings.Contains(string(data), `"name": "rain"`) || !strings.Contains(string(data), "Says when it rains.") {
		t.Errorf("%s, %v", data, err)
	}
}
