// Package spec holds what launch makes and supervisor runs: [Spec], a program with all that it gets; and what a person
// agrees to before: [Review].
package spec

// A Spec is a server ready to be started. It holds secrets: show [Spec.Shown], never Argv and Env.
type Spec struct {
	ID      string   // of the extension
	Argv    []string // the program's absolute path first
	Env     []string // KEY=VALUE, sorted: all of it, but for what a sandbox adds to describe its world
	Dir     string   // the working folder, its own
	Shown   []string // Argv with secret values replaced by their option's title
	Bundle  string   // the folder with its files; it may be its own program's folder, or none of ours
	Runtime []string // folders of this machine that its program belongs to
	Learn   []string // folders to read beside what is granted, where it is started to find out what it needs; nil: it is not
	Sandbox *Sandbox // what it is held to; nil: it runs with all rights of the user, which somebody agreed to
}
