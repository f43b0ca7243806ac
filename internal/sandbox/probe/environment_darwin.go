package probe

import "golang.org/x/sys/unix"

// environment gives what the kernel keeps of a process's start: its arguments and its environment.
func environment(pid int) ([]byte, error) { return unix.SysctlRaw("kern.procargs2", pid) }
