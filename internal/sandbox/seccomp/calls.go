package seccomp

import (
	_ "embed" // the numbers of the calls
	"fmt"
	"strconv"
	"strings"
)

// An arch is what a filter depends on.
type arch struct {
	audit   uint32 // how the kernel names it: AUDIT_ARCH_...
	x32     bool   // has a second set of calls at x32Bit
	numbers map[string]uint32
	own     string // the allowed calls that only it has
}

const x32Bit = 0x40000000

func archOf(goarch string) (arch, error) {
	switch goarch {
	case "amd64":
		return arch{0xc000003e, true, numbers(amd64), onlyAMD64}, nil
	case "arm64":
		return arch{0xc00000b7, false, numbers(arm64), ""}, nil
	}
	return arch{}, fmt.Errorf("seccomp: no list of system calls for %s", goarch)
}

// The system calls of the architectures: a number and a name on each line, written by go test -update.
var (
	//go:embed numbers/amd64
	amd64 string
	//go:embed numbers/arm64
	arm64 string
)

// Numbers gives the numbers of calls on an architecture, without those that it does not have. The error is for an
// architecture without a list.
func Numbers(goarch string, names []string) (map[string]uint32, error) {
	a, err := archOf(goarch)
	if err != nil {
		return nil, err
	}
	found := map[string]uint32{}
	for _, name := range names {
		if n, ok := a.numbers[name]; ok {
			found[name] = n
		}
	}
	return found, nil
}

// numbers reads such a list.
func numbers(list string) map[string]uint32 {
	calls := make(map[string]uint32, 400)
	for line := range strings.Lines(list) {
		number, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			panic("seccomp: a damaged list of system calls: " + line)
		}
		calls[name] = uint32(n)
	}
	return calls
}

// allowed lists the calls that are let through whatever their arguments are.
func (a arch) allowed() []string {
	return strings.Fields(strings.Join([]string{files, events, memory, processes, signals, clocks, sockets, a.own}, " "))
}

// absent are calls that a program should take for missing, and do otherwise. What openat2 and clone3 ask for is in memory,
// where no filter can look.
func absent() []string {
	return strings.Fields(`clone3 openat2 io_uring_setup io_uring_enter io_uring_register execveat userfaultfd memfd_secret
		process_madvise kcmp`)
}

// The allowed calls, by what they are for. They were seen in traces of sixteen servers for Node, Python, Go, Bun and
// Deno, of a shell, npm, git and curl; siblings that C libraries switch to are added.
const (
	files = `read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek openat close
		close_range fstat newfstatat statx statfs fstatfs faccessat faccessat2 readlinkat getdents64 fcntl flock dup dup3
		truncate ftruncate fallocate fadvise64 fsync fdatasync sync sync_file_range syncfs mkdirat unlinkat renameat
		renameat2 linkat symlinkat fchmod fchmodat fchmodat2 fchown fchownat utimensat umask getcwd chdir fchdir
		copy_file_range sendfile splice tee vmsplice readahead getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr
		listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr setxattrat getxattrat listxattrat
		removexattrat inotify_init1 inotify_add_watch inotify_rm_watch cachestat`

	events = `pipe2 ppoll pselect6 epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 signalfd4 timerfd_create
		timerfd_settime timerfd_gettime`

	memory = `mmap munmap mprotect mremap madvise brk msync mincore mlock mlock2 munlock mlockall munlockall membarrier
		pkey_alloc pkey_free pkey_mprotect memfd_create mseal get_mempolicy`

	processes = `exit exit_group execve wait4 waitid futex futex_waitv futex_wait futex_wake futex_requeue
		set_robust_list get_robust_list rseq set_tid_address getpid getppid gettid getpgid setpgid getsid
		setsid getuid geteuid getresuid getgid getegid getresgid getgroups setuid setreuid setresuid setgid setregid
		setresgid setfsuid setfsgid capget capset sched_yield sched_getaffinity sched_setaffinity sched_getparam
		sched_setparam sched_getscheduler sched_setscheduler sched_getattr sched_setattr sched_get_priority_max
		sched_get_priority_min sched_rr_get_interval getpriority setpriority ioprio_get ioprio_set getrusage prlimit64
		getrlimit setrlimit times sysinfo uname getcpu getrandom restart_syscall pidfd_open pidfd_send_signal
		landlock_create_ruleset landlock_add_rule landlock_restrict_self`

	signals = `kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigpending rt_sigtimedwait
		rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack`

	clocks = `clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday getitimer setitimer timer_create
		timer_settime timer_gettime timer_getoverrun timer_delete`

	sockets = `bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt sendto sendmsg sendmmsg
		recvfrom recvmsg recvmmsg shutdown`

	onlyAMD64 = `arch_prctl open stat lstat access pipe poll select dup2 fork vfork getpgrp readlink mkdir rmdir rename
		link unlink symlink chmod chown lchown creat utime utimes futimesat time alarm pause getdents epoll_create
		epoll_wait eventfd signalfd inotify_init`
)
