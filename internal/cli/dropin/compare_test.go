package dropin_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"satchel/mcpb"
	"satchel/mcpb/signature"
)

// A scenario is one or more command lines, given to both programs in folders of their own with the same content.
type scenario struct {
	name  string
	files map[string]string        // by path; see place for what may stand in a path
	setup func(dir string) error   // for what files cannot say
	args  []string                 // of the command that is compared
	first [][]string               // commands before it, each by the program that is looked at
	then  func(dir string) error   // what happens between them and it; for a scenario that is alone
	in    string                   // the folder to type it in, below the one of the files
	diffs map[string]string        // what differs on purpose: an aspect, and the row of the table that says why
	tidy  func(text string) string // a further normaliser for both outputs
	alone bool                     // the reference needs a process of its own
}

// The aspects that are compared.
const (
	code   = "exit code"
	stdout = "standard output"
	stderr = "error stream"
	disk   = "files"
	sign   = "the last line of help"
	signer = "who signed x.mcpb"
)

// A stage is where one program plays a scenario.
type stage struct{ home, work, dir string }

// set makes the folder of a scenario.
func (s scenario) set(t *testing.T) stage {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(home, "work")
	if err := os.Mkdir(work, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range s.files {
		place(t, work, name, text)
	}
	if s.setup != nil {
		if err := s.setup(work); err != nil {
			t.Fatal(err)
		}
	}
	return stage{home, work, filepath.Join(work, s.in)}
}

// calls are the command lines of a scenario; the last one is compared.
func (s scenario) calls(at stage) (calls []call) {
	for _, args := range append(slices.Clone(s.first), s.args) {
		calls = append(calls, call{at.dir, args})
	}
	return calls
}

// play runs a scenario with one program, a process for each command line.
func (s scenario) play(t *testing.T, at stage, program ...string) result {
	t.Helper()
	var last result
	for i, c := range s.calls(at) {
		if i == len(s.first) && s.then != nil {
			if err := s.then(at.work); err != nil {
				t.Fatal(err)
			}
		}
		last = start(t, at.home, c.Dir, append(slices.Clone(program), c.Args...)...)
		if i < len(s.first) && last.Code != 0 {
			t.Fatalf("%q before: %+v", c.Args, last)
		}
	}
	return last
}

func (s scenario) playOurs(t *testing.T, at stage) result {
	t.Helper()
	return s.play(t, at, filepath.Join(here.bin, "mcpb"))
}

func (s scenario) playTheirs(t *testing.T, at stage) result {
	t.Helper()
	return s.play(t, at, "node", filepath.Join(here.ref, "dist", "cli", "cli.js"))
}

// aspects tells how a scenario ended.
func (s scenario) aspects(t *testing.T, at stage, r result) map[string]string {
	t.Helper()
	tidy := func(text string) string {
		text = normal(text, at.home)
		if s.tidy != nil {
			text = s.tidy(text)
		}
		return text
	}
	text, last := cutLastLine(r.Stdout + "\x00" + r.Stderr)
	out, errs, _ := strings.Cut(text, "\x00")
	return map[string]string{code: fmt.Sprint(r.Code), stdout: tidy(out), stderr: tidy(errs), disk: snapshot(t, at.work), sign: last, signer: signerOf(filepath.Join(at.work, "x.mcpb"))}
}

// compare fails the test for what differs without a row, and for a row without a difference.
func (s scenario) compare(t *testing.T, ours, theirs map[string]string) {
	t.Helper()
	for _, aspect := range []string{code, stdout, stderr, disk, sign, signer} {
		o, th, row := ours[aspect], theirs[aspect], s.diffs[aspect]
		switch {
		case o != th && row == "":
			t.Errorf("%s differs\nours\n%s\ntheirs\n%s", aspect, o, th)
		case o == th && row != "":
			t.Errorf("%s is the same as the reference's, but row %q says that it differs:\n%s", aspect, row, o)
		}
	}
}

// signerOf tells whose signature a bundle has, "" when it has none.
func signerOf(bundle string) string {
	b, err := mcpb.Open(bundle, mcpb.Limits{})
	if err != nil {
		return ""
	}
	defer b.Close()
	r, err := b.Verify(signature.Trust{}, time.Now())
	switch {
	case err != nil:
		return err.Error()
	case r.Signer == nil:
		return string(r.Status)
	}
	return r.Signer.Subject + ", " + r.Signer.Key + ", " + string(r.Status)
}

// cutLastLine takes away the line by which our help says whose program it is.
func cutLastLine(text string) (rest, line string) {
	const ours = "\nThis is Satchel, which speaks the command line of @anthropic-ai/mcpb 2.1.2.\n"
	if strings.Contains(text, ours) {
		return strings.Replace(text, ours, "", 1), ours
	}
	return text, ""
}

// normal takes from an output what may differ: the home, the SHA-1 and the size of a bundle. Nothing else.
func normal(text, home string) string {
	text = strings.ReplaceAll(text, home, "<home>")
	text = regexp.MustCompile(`(?m)^shasum: [0-9a-f]{40}$`).ReplaceAllString(text, "shasum: <sha1>")
	return regexp.MustCompile(`(?m)^(package size|Before|After): [0-9.]+( ?[kM]?B)$`).ReplaceAllString(text, "$1: <size>")
}

// place writes a file; a path that ends with a slash is a folder, and "path@755" has that mode.
func place(t *testing.T, dir, name, text string) {
	t.Helper()
	perm := fs.FileMode(0o644)
	if m := regexp.MustCompile(`^(.*)@([0-7]{3})$`).FindStringSubmatch(name); m != nil {
		mode, _ := strconv.ParseUint(m[2], 8, 32) // what matches is a number
		name, perm = m[1], fs.FileMode(mode)
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if strings.HasSuffix(name, "/") {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil { // the umask must not decide
		t.Fatal(err)
	}
}

// snapshot writes down a folder: each file with its mode and content, a bundle as what is in it.
func snapshot(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			fmt.Fprintf(&b, "%s/ %v\n", name, info.Mode())
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			fmt.Fprintf(&b, "%s -> %s\n", name, to)
		case !d.Type().IsRegular():
			fmt.Fprintf(&b, "%s %v\n", name, d.Type())
		default:
			fmt.Fprintf(&b, "%s %v %s\n", name, info.Mode(), describe(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// describe tells a file's content: of an archive the names, modes and contents, without order and compression.
func describe(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		return "unreadable"
	}
	if !bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return digest(data)
	}
	archive, signed := data, ""
	if i := bytes.LastIndex(data, []byte("MCPB_SIG_V1")); i > 0 && bytes.HasSuffix(data, []byte("MCPB_SIG_END")) {
		archive, signed = slices.Clone(data[:i]), fmt.Sprintf(" with %d signatures", bytes.Count(data, []byte("MCPB_SIG_V1")))
		archive[i-2], archive[i-1] = 0, 0 // the reference leaves the length of the comment alone, we count the block in
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return "damaged " + digest(data)
	}
	entries := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		entries[f.Name] += fmt.Sprintf("%v %s;", f.Mode().Perm(), digest(content))
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(&b, "\n    %s %s", name, entries[name])
	}
	return "bundle" + signed + b.String()
}

func digest(data []byte) string { return fmt.Sprintf("%d %x", len(data), sha256.Sum256(data))[:24] }

// compareSame demands that nothing differs.
func (s scenario) compareSame(t *testing.T, one, other map[string]string) {
	t.Helper()
	s.diffs = nil
	s.compare(t, one, other)
}
