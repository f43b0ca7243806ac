package devloop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"satchel/internal/procgroup"
)

// The test's own program is procgroup's watcher and the servers of the tests too.
func TestMain(m *testing.M) {
	switch args := os.Args[1:]; {
	case procgroup.IsWatcher(args):
		os.Exit(procgroup.WatchMain(args))
	case len(args) == 2 && args[0] == "serve":
		os.Exit(serve(args[1]))
	}
	os.Exit(m.Run())
}

// serve is a server that answers with the text in a file, read when it starts: "broken" does not start, "mute" answers
// nothing but its introduction, "deaf" stops reading then, "long" answers with more than a pipe holds.
func serve(file string) int {
	data, err := os.ReadFile(file)
	if err != nil {
		return 9
	}
	mode := strings.TrimSpace(string(data))
	if mode == "broken" {
		fmt.Fprintln(os.Stderr, "cannot find module 'x'")
		return 3
	}
	fmt.Fprintln(os.Stderr, "serving "+mode)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return 7
		}
		var m struct {
			ID     json.RawMessage
			Method string
		}
		if json.Unmarshal(line, &m) != nil || len(m.ID) == 0 {
			fmt.Fprintln(os.Stderr, "told "+strings.TrimSpace(string(line[:min(len(line), 100)])))
			continue
		}
		switch {
		case m.Method == "initialize":
			fmt.Printf(`{"result":{"serverInfo":{"name":%q},"capabilities":{"tools":{},"prompts":{}}},"jsonrpc":"2.0","id":%s}`+"\n", mode, m.ID)
		case mode == "mute":
		case mode == "deaf":
			select {}
		case mode == "long":
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":%q}`+"\n", m.ID, strings.Repeat("x", 3<<20))
		default:
			fmt.Printf(`{"jsonrpc":"2.0","id":%s,"result":{"by":%q,"bytes":%d}}`+"\n", m.ID, mode, len(line))
		}
	}
}
