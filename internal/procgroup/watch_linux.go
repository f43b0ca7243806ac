package procgroup

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reapGrace bounds the wait for killed processes that hang in the kernel.
const reapGrace = 2 * time.Second

// IsWatcher tells whether the program's arguments (without its name) ask it to be the watcher.
func IsWatcher(args []string) bool { return len(args) > 3 && args[0] == watchMode }

// WatchMain is the watcher: it starts the program, adopts what the program leaves behind, and ends all of it when the
// program ends or its lifeline does. It gives the program's exit code.
func WatchMain(args []string) int {
	// The parent-death signal of the program belongs to the thread that starts it, which must therefore stay.
	runtime.LockOSThread()
	report := os.NewFile(reportFD, "report")
	closeOnExec()
	signals := catchSignals() // before there is a program: a signal must reach it, not end us
	pid, err := launch(args[1], args[2], args[3:])
	if err != nil {
		fmt.Fprintf(report, "%v", err)
		return 1
	}
	report.Close()
	releaseStreams()
	go forwardSignals(pid, signals)
	ended, none := make(chan int, 1), make(chan struct{})
	go reap(pid, ended, none)
	lost := make(chan struct{})
	go func() {
		var b [1]byte
		for {
			if n, err := unix.Read(lifelineFD, b[:]); err != unix.EINTR && n <= 0 {
				close(lost)
				return
			}
		}
	}()
	code := 128 + int(syscall.SIGKILL)
	select {
	case code = <-ended:
	case <-lost:
	}
	killAll()
	select { // until every zombie is reaped: not every machine has an init that would do it for us
	case <-none:
	case <-time.After(reapGrace):
	}
	return code
}

// closeOnExec keeps every descriptor but the streams from the program: ours, and what the app leaked into us.
func closeOnExec() {
	if unix.CloseRange(lifelineFD, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	names, err := os.ReadDir("/proc/self/fd") // kernels before 5.11
	if err != nil {
		names = nil
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	unix.CloseOnExec(lifelineFD)
	unix.CloseOnExec(reportFD)
}

func launch(extra, path string, argv []string) (int, error) {
	n, err := strconv.Atoi(extra)
	if err != nil {
		return 0, err
	}
	files := []uintptr{0, 1, 2}
	for i := range n {
		files = append(files, uintptr(extraFD+i))
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("cannot adopt orphans: %w", err)
	}
	defer func() {
		for _, fd := range files[3:] {
			_ = unix.Close(int(fd))
		}
	}()
	return syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env: os.Environ(), Files: files, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
}

// releaseStreams lets go of the program's streams, so that they end when the program lets go of them.
func releaseStreams() {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return // then the streams stay open until the tree ends, which is late but not wrong
	}
	for fd := range 3 {
		_ = unix.Dup3(null, fd, 0)
	}
	_ = unix.Close(null)
}

func catchSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	return signals
}

func forwardSignals(pid int, signals <-chan os.Signal) {
	for s := range signals {
		_ = syscall.Kill(pid, s.(syscall.Signal)) // it may have ended already
	}
}

// reap takes the exit status of every child, the adopted ones too, and reports the program's. It closes none when no
// child is left, which means that no descendant is: those of a process that ends become ours before we hear of its end.
func reap(pid int, ended chan<- int, none chan<- struct{}) {
	for {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil: // no child is left
			close(none)
			return
		case got == pid && status.Signaled():
			ended <- 128 + int(status.Signal())
		case got == pid:
			ended <- status.ExitStatus()
		}
	}
}

// killAll kills every descendant until none is left. What is stopped cannot fork, so each round first stops, then
// kills; children of the killed come to us.
func killAll() {
	self := os.Getpid()
	for {
		pids := descendants(self)
		if len(pids) == 0 {
			return
		}
		for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
			for _, pid := range pids {
				_ = syscall.Kill(pid, s) // it may be gone
			}
		}
		runtime.Gosched()
	}
}

// descendants lists the living processes below pid, by the parents that /proc names. Zombies are left out: reap takes
// them.
func descendants(pid int) []int {
	parents, err := processes()
	if err != nil {
		return nil
	}
	var found []int
	for child := range parents {
		for p, steps := parents[child], 0; p > 0 && steps < len(parents); p, steps = parents[p], steps+1 {
			if p == pid {
				found = append(found, child)
				break
			}
		}
	}
	return found
}

// processes gives the parent of every living process.
func processes() (map[int]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	parents := make(map[int]int, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it ended meanwhile
		}
		// After the name, which stands in parentheses and may hold anything: state and parent (proc_pid_stat(5)).
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	return parents, nil
}
