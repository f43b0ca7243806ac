// Satchel-sandbox-init is the first process of a sandbox. Satchel starts it, when it stands beside it, in place of itself:
// it is small, and each start of a server waits for it.
package main

import (
	"fmt"
	"os"

	"satchel/internal/sandbox/inside"
)

func main() {
	inside.Main()
	fmt.Fprintln(os.Stderr, "satchel-sandbox-init: this is no command: satchel starts it")
	os.Exit(2)
}
