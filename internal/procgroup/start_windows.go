package procgroup

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// A job is a tree in a job object whose processes end when its handle closes, that is also when we end. Nobody has run
// this yet: it compiles and vets.
type job struct {
	cmd    *exec.Cmd
	handle windows.Handle
}

func start(c Cmd) (tree, error) {
	handle, err := newJob()
	if err != nil {
		return nil, err
	}
	if c.Job != nil {
		if err := c.Job(uintptr(handle)); err != nil {
			return nil, errors.Join(err, windows.CloseHandle(handle))
		}
	}
	cmd := c.prepare() // suspended, so that it cannot start another process before it is in the job
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NO_WINDOW, Token: syscall.Token(c.Token)}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, windows.CloseHandle(handle))
	}
	if err := adopt(handle, uint32(cmd.Process.Pid)); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), windows.CloseHandle(handle))
	}
	return &job{cmd, handle}, nil
}

func newJob() (windows.Handle, error) {
	handle, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(handle, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		return 0, errors.Join(err, windows.CloseHandle(handle))
	}
	return handle, nil
}

// adopt puts a suspended process into the job and lets its only thread run.
func adopt(job windows.Handle, pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	if err := windows.AssignProcessToJobObject(job, process); err != nil {
		return err
	}
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return err
		}
		_, err = windows.ResumeThread(thread)
		return errors.Join(err, windows.CloseHandle(thread))
	}
	return err
}

func (j *job) wait() (int, error) {
	err := j.cmd.Wait()
	j.kill()
	_ = windows.CloseHandle(j.handle)
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return -1, err
	}
	return j.cmd.ProcessState.ExitCode(), nil
}

// signal ends the program: Windows has no signals for programs without a console.
func (j *job) signal(os.Signal) error { return j.cmd.Process.Kill() }

func (j *job) kill() { _ = windows.TerminateJobObject(j.handle, 1) }
