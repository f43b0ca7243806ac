// Package seccomp makes the filter of system calls that a sandboxed server lives under: a list of what is let through,
// everything else is refused. It only computes; package sandbox installs what it gives.
//
// What a call gets (docs/sandbox.md says why for each group):
//
//	allowed   the calls that servers were seen to make, with the siblings that C libraries switch to
//	judged    socket, ioctl, prctl, clone...: allowed or refused by their arguments
//	EPERM     every other call that has a name
//	ENOSYS    what a program should take for absent and do otherwise: clone3, io_uring, and every number without a name,
//	          so that a library newer than this list falls back to what it used before
//	killed    another architecture's calls and x32: their numbers mean something else, and no honest server makes them
//
// The numbers of the calls of both architectures are in numbers/, written from golang.org/x/sys by go test -update. Any system can compute the filter of any architecture.
package seccomp
