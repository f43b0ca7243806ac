// Package sandbox starts a server so that the operating system holds it to its grant ([spec.Sandbox]).
//
// On Linux a server gets a world of its own: namespaces with a root that has only what was granted, no capabilities,
// Landlock with the same grant as a second wall, a filter of system calls, and limits. What starts it is this program
// again in the role of init, pid 1 of the server's world: [Main] must therefore be the first call of every program that
// uses a [Launcher].
//
// On macOS a server runs under rules that the kernel keeps (package seatbelt), on Windows as a restricted user in a job
// object (package restricted). Nobody has run these two yet.
//
//	l := sandbox.NewLauncher()
//	p, err := l.Start(sandbox.Command{...})
//
// docs/sandbox.md says what is enforced where, what each wall is for, and what nobody has run yet.
package sandbox
