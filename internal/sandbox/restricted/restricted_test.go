package restricted

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

var update = flag.Bool("update", false, "write the golden files anew")

const own = `C:\Users\ann\AppData\Local\satchel\data\1`

func TestGolden(t *testing.T) {
	for name, s := range map[string]spec.Sandbox{
		"nothing": {},
		"files": {
			Files: []spec.File{{Path: `C:\Users\ann\Documents`}, {Path: `C:\Users\ann\proj`, Write: true}},
			Protect: []spec.Protected{
				{Path: `C:\Users\ann\.ssh`, Secret: true}, {Path: `c:\users\ANN\proj\.git\hooks`}, {Path: `C:\Users\ann\proj2\.git\hooks`},
				{Path: `C:\Users\ann\Documents\x`},
			},
			Limits: spec.Limits{Memory: 1 << 30, Processes: 8, CPU: 90 * time.Second},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(Make(s, own), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(got)+"\n" != string(want) {
				t.Errorf("%s differs (-update writes it anew), %v:\n%s", file, err, got)
			}
		})
	}
}

// TestTheJobAlwaysEndsWithItsHandle and always has a limit of processes, whatever the grant says.
func TestTheJobAlwaysEndsWithItsHandle(t *testing.T) {
	for _, l := range []spec.Limits{{}, {Processes: -1, Memory: -1, CPU: -1}, {Processes: 1 << 40, Memory: 1 << 62, CPU: 1 << 62}, {CPU: 1}} {
		j := Make(spec.Sandbox{Limits: l}, own).Job
		if j.Limits&(killOnClose|limitProcesses) != killOnClose|limitProcesses || j.Processes == 0 || j.Processes > 1<<20 || j.UI != allUI {
			t.Errorf("%+v: %+v", l, j)
		}
		if (j.Limits&limitJobTime != 0) != (l.CPU > 0) || (j.Limits&limitJobTime != 0) != (j.UserTime > 0) || (j.Limits&limitJobMemory != 0) != (j.Memory > 0) {
			t.Errorf("%+v: %+v", l, j)
		}
	}
}

// TestOnlyWhatIsWrittenIsLabelled: what is granted to be read is left alone.
func TestOnlyWhatIsWrittenIsLabelled(t *testing.T) {
	for _, l := range Make(spec.Sandbox{Files: []spec.File{{Path: `C:\a`}}, Protect: []spec.Protected{{Path: `C:\a\b`}}}, own).Labels {
		if l.Path != own {
			t.Errorf("%+v", l)
		}
	}
}

func TestBatch(t *testing.T) {
	for program, bad := range map[string]bool{
		`C:\npx.cmd`: true, `C:\npx.CMD`: true, `C:\npx.bat`: true, `C:\npx.bat. .`: true, `C:\node.exe`: false, `C:\cmd.exe`: false, `C:\a.cmd\node.exe`: false,
	} {
		for _, arg := range []string{`"&calc.exe`, `%PATH%`, "a\nb", "a&b", "a|b", "^", "!x!", "a=b", "(x)"} {
			err := Batch(program, []string{"plain", arg})
			p, _ := errors.AsType[*problem.Problem](err)
			if (err != nil) != bad || bad && p.Rule != "sandbox/batch" {
				t.Errorf("%s %q: %v", program, arg, err)
			}
		}
		if err := Batch(program, []string{"-y", "@scope/server-x", `C:\Program Files\x`, ""}); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
	if err := Batch(`C:\a&b\npx.cmd`, nil); err == nil {
		t.Error("the batch file's own name was let through")
	}
}

func TestEnvironment(t *testing.T) {
	got := strings.Join(Environment([]string{"path=mine", "TOKEN=x"}, `C:\Windows`, own, own+`\.tmp`, []string{`C:\node`}), "\n")
	want := `SystemRoot=C:\Windows
windir=C:\Windows
SystemDrive=C:
ComSpec=C:\Windows\System32\cmd.exe
PATHEXT=.COM;.EXE;.BAT;.CMD
TEMP=` + own + `\.tmp
TMP=` + own + `\.tmp
HOME=` + own + `
USERPROFILE=` + own + `
APPDATA=` + own + `
LOCALAPPDATA=` + own + `
USERNAME=user`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if all := strings.Join(Environment(nil, `D:\W`, own, own, []string{`C:\node`}), "\n"); !strings.Contains(all, `PATH=C:\node;D:\W\System32;D:\W`) || !strings.Contains(all, "SystemDrive=D:\n") {
		t.Errorf("got\n%s", all)
	}
}

func TestForFile(t *testing.T) {
	if got := ForFile(Medium()); got != "S:(ML;;NW;;;ME)" {
		t.Error(got)
	}
}

// TestEvent: one name for one folder, however long and however written; Windows takes no more than 260 letters, and one
// backslash.
func TestEvent(t *testing.T) {
	long := `C:\` + strings.Repeat(`deep\`, 1000)
	name := Event(long)
	if len(name) > 260 || strings.Count(name, `\`) != 1 || name != Event(strings.ToUpper(long)) || name == Event(long+"x") {
		t.Error(name)
	}
}
