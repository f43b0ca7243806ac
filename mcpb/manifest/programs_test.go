package manifest

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEntryFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s/x.js": "s/x.js", "./s/x.js": "s/x.js", "${__dirname}/s/x.js": "s/x.js", "${__dirname}/./s//x.js": "s/x.js", "s/../x.js": "x.js",
		"": "", ".": "", "${__dirname}/": "", "../x.js": "", "/x.js": "", `s\x.js`: "",
	} {
		if got := (&Manifest{Server: Server{EntryPoint: text}}).EntryFile(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPrograms(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"bin/tool": {}, "bin/win.exe": {}, "arm": {}, "bare": {}}
	m := &Manifest{Server: Server{Type: Binary, MCPConfig: &MCPConfig{
		Command: Command{Command: "${__dirname}/bin/tool"},
		PlatformOverrides: map[string]Command{
			"win32": {Command: `${__dirname}\bin\win`}, "linux-arm64": {Command: "./arm"}, "darwin": {Command: "bare"}, "darwin-x64": {Command: "../../etc/passwd"}, "linux": {},
		},
	}}}
	got := m.Programs(files)
	if want := []string{"arm", "bare", "bin/tool", "bin/win.exe"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (&Manifest{}).Programs(files); len(got) > 0 {
		t.Errorf("without a command: %q", got)
	}
}

// leavingOut is a file system that says why it has no such file.
type leavingOut struct{ linked }

type leftOut struct{}

func (leftOut) Error() string        { return "left out" }
func (leftOut) LeftOut() string      { return "line 3: *.png" }
func (leftOut) Is(target error) bool { return target == fs.ErrNotExist }

func (f leavingOut) Stat(name string) (fs.FileInfo, error) {
	if strings.HasSuffix(name, ".png") {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: leftOut{}}
	}
	return f.linked.Stat(name)
}

func TestTheReasonOfAMissingFileIsSaid(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"icon.png": "is left out of the bundle: line 3: *.png", "server": "is a folder", "server/index.js": "", "pipe": "is no file", "nowhere": "is not there",
		"outside": "is a link to ../x; only relative links that stay in the folder are followed", "broken": "is a link to nowhere, which is not there",
	} {
		if got := whyNot(leavingOut{linked{fstest.MapFS{
			"server/index.js": {}, "pipe": {Mode: fs.ModeNamedPipe}, "outside": {Mode: fs.ModeSymlink, Data: []byte("../x")}, "broken": {Mode: fs.ModeSymlink, Data: []byte("nowhere")},
		}}}, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// linked refuses links as [os.Root] does.
type linked struct{ fstest.MapFS }

func (f linked) Stat(name string) (fs.FileInfo, error) {
	if name == "outside" {
		return nil, errors.New("path escapes from parent")
	}
	return f.MapFS.Stat(name)
}
