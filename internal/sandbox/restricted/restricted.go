package restricted

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spec"
)

// A Plan is all that is decided before a start. Numbers are those of the Windows API.
type Plan struct {
	TokenFlags uint32  // of CreateRestrictedToken
	Integrity  string  // the SID of the token's integrity level
	Job        Job     // of its processes together
	Labels     []Label // in this order
}

// A Job is what a job object bounds.
type Job struct {
	Limits    uint32 // which of the following count, with those that need no figure
	Processes uint32
	Memory    uint64 // bytes, of all processes together
	UserTime  int64  // in 100 nanoseconds, of all processes together
	UI        uint32
}

// A Label is an integrity level put on a file, or on a folder with all that is below.
type Label struct {
	Path  string
	Level string // a security descriptor with one mandatory label, as a folder has it
	Back  bool   // back to medium when no server uses it any more
	Maybe bool   // may be missing
}

// Flags of CreateRestrictedToken.
const (
	disableMaxPrivilege = 0x1 // no privilege is left but that of walking through folders
	luaToken            = 0x4 // an administrator's rights only ever deny
)

// Flags of JOBOBJECT_BASIC_LIMIT_INFORMATION.
const (
	limitJobTime        = 0x4
	limitProcesses      = 0x8
	limitJobMemory      = 0x200
	dieOnException      = 0x400 // no dialog that waits for a person
	killOnClose         = 0x2000
	allUI               = 0xff // foreign windows, the clipboard, settings, desktops, signing out
	lowIntegrity        = "S-1-16-4096"
	writableByLow       = "S:(ML;OICI;NW;;;LW)"
	writableByMedium    = "S:(ML;OICI;NW;;;ME)"
	defaultProcesses    = 256
	hundredNanoseconds  = 100
	charactersOfBatches = `"%&|<>^!()=;,` + "`'\r\n\t"
)

// Make decides for a server with its own folder. It is to be allowed by the other checks already: no secret is below what
// is granted for writing. Reading grants, programs and hosts have no say: nothing here holds a server to them.
func Make(s spec.Sandbox, dir string) Plan {
	p := Plan{TokenFlags: disableMaxPrivilege | luaToken, Integrity: lowIntegrity, Job: job(s.Limits)}
	p.Labels = append(p.Labels, Label{Path: dir, Level: writableByLow})
	for _, f := range s.Files {
		if f.Write {
			p.Labels = append(p.Labels, Label{Path: f.Path, Level: writableByLow, Back: true})
		}
	}
	for _, x := range s.Protect {
		for _, f := range s.Files {
			if f.Write && isBelow(x.Path, f.Path) {
				p.Labels = append(p.Labels, Label{Path: x.Path, Level: writableByMedium, Maybe: true})
				break
			}
		}
	}
	return p
}

// Medium is the level that everything has which has no other one.
func Medium() string { return writableByMedium }

// ForFile gives a level as a file has it, which hands nothing down.
func ForFile(level string) string { return strings.Replace(level, ";OICI;", ";;", 1) }

// Event is the name of an event that is there as long as a server may write to a folder.
func Event(folder string) string {
	return fmt.Sprintf(`Local\satchel-label-%x`, sha256.Sum256([]byte(strings.ToLower(folder))))
}

func job(l spec.Limits) Job {
	j := Job{Limits: killOnClose | dieOnException | limitProcesses, Processes: defaultProcesses, UI: allUI}
	if l.Processes > 0 {
		j.Processes = uint32(min(l.Processes, 1<<20))
	}
	if l.Memory > 0 {
		j.Limits, j.Memory = j.Limits|limitJobMemory, uint64(l.Memory)
	}
	if l.CPU > 0 {
		j.Limits, j.UserTime = j.Limits|limitJobTime, max(1, l.CPU.Nanoseconds()/hundredNanoseconds)
	}
	return j
}

// isBelow tells whether a path is another one or below it. Windows tells no cases apart.
func isBelow(name, dir string) bool {
	name, dir = strings.ToLower(name), strings.TrimSuffix(strings.ToLower(dir), `\`)
	return name == dir || strings.HasPrefix(name, dir+`\`)
}

// Batch refuses to hand over arguments to a batch file that its interpreter would read in its own way: it takes the whole
// line apart again, by other rules than those by which lines are put together, and would run what is in one. Spaces at the
// end and dots are no part of a name to Windows.
func Batch(program string, args []string) error {
	name := strings.ToLower(strings.TrimRight(program, " ."))
	if !strings.HasSuffix(name, ".bat") && !strings.HasSuffix(name, ".cmd") {
		return nil
	}
	for _, a := range append([]string{program}, args...) {
		if strings.ContainsAny(a, charactersOfBatches) {
			return problem.New(problem.Refused, "sandbox/batch", "is a batch file, which would take this argument apart: %q", a).At(program).From("docs/sandbox.md").
				Try("name the program that the batch file starts")
		}
	}
	return nil
}

// Environment gives what describes a server's world, but for what is set already: Windows tells no cases apart in names
// of variables either. windows is the system's folder, programs are the folders to look programs up in.
func Environment(set []string, windows, dir, temp string, programs []string) (add []string) {
	drive, _, _ := strings.Cut(windows, `\`)
	search := append(append([]string{}, programs...), windows+`\System32`, windows)
	for _, d := range [][2]string{
		{"SystemRoot", windows}, {"windir", windows}, {"SystemDrive", drive}, {"ComSpec", windows + `\System32\cmd.exe`},
		{"PATHEXT", ".COM;.EXE;.BAT;.CMD"}, {"PATH", strings.Join(search, ";")}, {"TEMP", temp}, {"TMP", temp},
		{"HOME", dir}, {"USERPROFILE", dir}, {"APPDATA", dir}, {"LOCALAPPDATA", dir}, {"USERNAME", "user"},
	} {
		known := false
		for _, e := range set {
			name, _, _ := strings.Cut(e, "=")
			known = known || strings.EqualFold(name, d[0])
		}
		if !known {
			add = append(add, d[0]+"="+d[1])
		}
	}
	return add
}
