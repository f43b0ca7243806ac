// Satchel packs, checks, installs and runs desktop extensions: MCP servers in one file.
package main

import (
	"os"

	"satchel/internal/cli"
	"satchel/internal/sandbox"
)

func main() {
	sandbox.Main() // the program plays other roles too
	os.Exit(cli.MainAs(os.Args[0], os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
