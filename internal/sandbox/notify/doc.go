// Package notify learns what the programs of a sandbox are about to do: which program they start, which file they open.
// The kernel asks it about each such call (seccomp user notification) and holds the caller until it has answered.
//
// It only ever lets go on: what a call may do is decided by the walls, not here. So what it reads is a statement, not a
// fence. Between its look and the kernel's, another thread of the caller can put another path in the same memory.
package notify
