// Command start measures what the sandbox costs: the time from starting a server to its first reply, and of one message
// there and back, bare and sandboxed in turns; `make bench` runs it. The table of docs/benchmarks.md is written anew, and
// the exit code is 1 when a line that must hold does not.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"satchel/internal/sandbox"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == echoMode {
		echo()
		return
	}
	sandbox.Main()
	rounds := flag.Int("rounds", 40, "how often each server is started in each way")
	calls := flag.Int("calls", 2000, "how many messages are sent to each server")
	page := flag.String("page", "docs/benchmarks.md", "the page with the table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *calls, *page); err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
}
