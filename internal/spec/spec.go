// Package spec holds what launch makes and supervisor runs: [Spec], a program with all that it gets; and what a person
// agrees to before: [Review].
package spec

// A Spec is a server ready to be started. It holds secrets: show [Spec.Shown], never Argv and Env.
type Spec struct {
	ID    string   // of the extension
	Argv  []string // the program's absolute path first
	Env   []string // the whole environment, sorted, KEY=VALUE
	Dir   string   // the working folder
	Shown []string // Argv with secret values replaced by their option's title
}
