package sandbox

import (
	"os"

	"satchel/internal/procgroup"
	"satchel/internal/sandbox/inside"
	"satchel/internal/sandbox/probe"
)

// Main takes the program over when it was started in one of this package's roles: it never returns then. Otherwise it
// does nothing. It must be the first call of main.
func Main() {
	inside.Main()
	probe.Main()
	if procgroup.IsWatcher(os.Args[1:]) {
		os.Exit(procgroup.WatchMain(os.Args[1:]))
	}
}
