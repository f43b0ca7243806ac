package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"

	"satchel/internal/procgroup"
	"satchel/internal/sandbox/restricted"
)

const systemMode = Restricted

// A Launcher starts servers in sandboxes: make one for the life of the program. It is safe for concurrent use. Nobody has
// run it on this system yet.
type Launcher struct{}

// NewLauncher makes a Launcher.
func NewLauncher() *Launcher { return &Launcher{} }

func (l *Launcher) available(ctx context.Context) error { return ctx.Err() }

// start starts a server as a restricted user, in a job object.
func (l *Launcher) start(c Command, e entrance) (*Process, error) {
	if err := restricted.Batch(c.Path, c.Argv); err != nil {
		return nil, err
	}
	env, err := c.windowsEnvironment(e)
	if err != nil {
		return nil, err
	}
	plan := restricted.Make(c.Sandbox, c.Dir)
	back, err := label(plan.Labels)
	if err != nil {
		return nil, err
	}
	token, err := restrict(plan)
	if err != nil {
		back()
		return nil, err
	}
	defer token.Close()
	cmd := c.cmd(c.Path, c.Argv, env)
	cmd.Token, cmd.Job = uintptr(token), func(job uintptr) error { return bound(windows.Handle(job), plan.Job) }
	p, err := procgroup.Start(cmd)
	if err != nil {
		back()
		return nil, err
	}
	return held(p, systemMode, back), nil
}

func (c Command) windowsEnvironment(e entrance) ([]string, error) {
	system, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return nil, err
	}
	var programs []string
	for _, name := range append([]string{c.Path}, c.Sandbox.Programs.Paths...) {
		programs = append(programs, filepath.Dir(name))
	}
	w := wayOf(systemMode, c, e)
	w.system = restricted.Environment(c.Env, system, c.Dir, w.temp, programs)
	env, files := c.environment(w)
	return env, bringTo(c.Dir, files)
}

// restrict makes the token that a server runs with: ours, with less.
func restrict(plan restricted.Plan) (windows.Token, error) {
	var ours windows.Token
	const rights = windows.TOKEN_DUPLICATE | windows.TOKEN_ASSIGN_PRIMARY | windows.TOKEN_QUERY | windows.TOKEN_ADJUST_DEFAULT
	if err := windows.OpenProcessToken(windows.CurrentProcess(), rights, &ours); err != nil {
		return 0, err
	}
	defer ours.Close()
	token, err := createRestrictedToken(ours, plan.TokenFlags)
	if err != nil {
		return 0, err
	}
	level, err := windows.StringToSid(plan.Integrity)
	if err != nil {
		return 0, errors.Join(err, token.Close())
	}
	mark := windows.Tokenmandatorylabel{Label: windows.SIDAndAttributes{Sid: level, Attributes: windows.SE_GROUP_INTEGRITY}}
	if err := windows.SetTokenInformation(token, windows.TokenIntegrityLevel, (*byte)(unsafe.Pointer(&mark)), mark.Size()); err != nil {
		return 0, errors.Join(err, token.Close())
	}
	return token, nil
}

// createRestrictedToken is the function of that name, which package windows does not have.
func createRestrictedToken(from windows.Token, flags uint32) (windows.Token, error) {
	call := windows.NewLazySystemDLL("advapi32.dll").NewProc("CreateRestrictedToken")
	if err := call.Find(); err != nil {
		return 0, err
	}
	var token windows.Token
	done, _, err := call.Call(uintptr(from), uintptr(flags), 0, 0, 0, 0, 0, 0, uintptr(unsafe.Pointer(&token)))
	if done == 0 {
		return 0, err
	}
	return token, nil
}

// bound sets what a job object allows.
func bound(job windows.Handle, j restricted.Job) error {
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{JobMemoryLimit: uintptr(j.Memory)}
	limits.BasicLimitInformation.LimitFlags = j.Limits
	limits.BasicLimitInformation.ActiveProcessLimit = j.Processes
	limits.BasicLimitInformation.PerJobUserTimeLimit = j.UserTime
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		return err
	}
	ui := windows.JOBOBJECT_BASIC_UI_RESTRICTIONS{UIRestrictionsClass: j.UI}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectBasicUIRestrictions, uintptr(unsafe.Pointer(&ui)), uint32(unsafe.Sizeof(ui)))
	return err
}

// label puts levels on files. What it gives puts those back that are to go back, once no server of any program uses them:
// each use holds a named event, which is there as long as one of them lives. Two at the same moment can miss each other;
// then the one that starts cannot write, which it is told.
func label(labels []restricted.Label) (back func(), err error) {
	var undo []func()
	back = func() {
		for _, f := range undo {
			f()
		}
	}
	for _, l := range labels {
		if l.Back {
			release, err := use(l.Path)
			if err != nil {
				back()
				return nil, err
			}
			undo = append(undo, func() {
				if release() {
					_ = setLabel(l.Path, restricted.Medium()) // it may be gone
				}
			})
		}
		if err := setLabel(l.Path, l.Level); err != nil && !(l.Maybe && errors.Is(err, os.ErrNotExist)) {
			back()
			return nil, err
		}
	}
	return back, nil
}

func setLabel(name, level string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		level = restricted.ForFile(level)
	}
	descriptor, err := windows.SecurityDescriptorFromString(level)
	if err != nil {
		return err
	}
	list, _, err := descriptor.SACL()
	if err != nil {
		return err
	}
	err = windows.SetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.LABEL_SECURITY_INFORMATION, nil, nil, nil, list)
	if err != nil {
		return &os.PathError{Op: "label", Path: name, Err: err}
	}
	return nil
}

// use notes that a folder is used. release ends that and tells whether nobody else uses it.
func use(folder string) (release func() (last bool), err error) {
	name, err := windows.UTF16PtrFromString(restricted.Event(folder))
	if err != nil {
		return nil, err
	}
	event, err := windows.CreateEvent(nil, 1, 0, name)
	if event == 0 {
		return nil, err
	}
	return func() bool {
		_ = windows.CloseHandle(event)
		other, err := windows.OpenEvent(windows.SYNCHRONIZE, false, name)
		if err != nil {
			return true
		}
		_ = windows.CloseHandle(other)
		return false
	}, nil
}
