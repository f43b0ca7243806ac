package sandbox

import (
	"os"

	"satchel/internal/procgroup"
	"satchel/internal/sandbox/inside"
)

// watched starts a server on the machine's own root: a watcher outside the walls sees to it that nothing outlives it.
func watched(s streams, memory, control *os.File) (tree, error) {
	return procgroup.Start(procgroup.Cmd{
		Path: roleProgram(), Args: []string{inside.ShimName}, Env: initEnvironment(), Dir: "/",
		Stdin: s.in, Stdout: s.out, Stderr: s.err, Extra: []*os.File{memory, control},
	})
}
