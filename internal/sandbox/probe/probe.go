// Package probe tries to break out of a sandbox, from inside, and says what worked. Package sandbox runs it in the very
// sandbox that servers get, with victims outside; a report of what is enforced comes from it and from nothing else.
//
// Each line is one attack. It counts only when it works outside: the tests run each of them bare first. Some forty are
// portable, and are all that systems other than Linux have; Linux has them too, so that its tests are theirs.
package probe

// Name is the name that the program has in the role of the probe.
const Name = "satchel-sandbox-probe"

// A Setup names the victims. Everything in it exists, and everything is reachable for who is not held.
type Setup struct {
	Secret string // what files, environment and memory of the victims hold

	Outside   string // a file with the secret, in a folder that is not granted
	Read      string // a folder granted to read, with a file "plain"
	Write     string // a folder granted to write, with .git/hooks and a file "plain"
	Own       string // the extension's own folder
	Bundle    string // the extension's own files, with a file "plain"
	Protected string // a folder below Read with a file "secret" in it: protected
	Late      string // a path below Read: protected, not there yet

	First    int    // the first process of the world
	Victim   int    // the process of a sibling: the secret is in its environment and its memory
	Address  uint64 // where in its memory
	Parent   int    // the process that started the sandbox
	TCP4     int    // ports of the machine's loopback that answer with the secret; but for TCP4, 0 where the machine has none
	TCP6     int
	UDP4     int
	UDP6     int
	Address4 string // host:port of a TCP server on an address of the machine that is no loopback; empty: it has none
	Abstract string // sockets that answer with the secret
	Socket   string // a path below Write; empty: the machine has no such sockets
	Program  string // a program of the machine that was not granted
}

// A Result is what became of a line.
type Result struct {
	Group string `json:"group"`
	Line  string `json:"line"`
	Open  bool   `json:"open"`
	Why   string `json:"why"` // what refused it, or why it could not be tried
	Tried bool   `json:"tried"`
	Root  bool   `json:"root,omitempty"` // outside a sandbox only root can do it
}

// An Ask is what the probe wants the host to do while it waits: what other programs of the user do at any time.
type Ask string

// What the host does when asked.
const (
	ReplaceProtected Ask = "replace" // the protected file is replaced by a new one with the secret, by rename
	RemakeProtected  Ask = "remake"  // the protected folder is removed and made anew, with the file
	MakeLate         Ask = "late"    // the late path becomes a folder with a file "secret"
)

// A Message is a line of JSON that the probe writes: one of the two.
type Message struct {
	Result *Result `json:"result,omitempty"`
	Ask    Ask     `json:"ask,omitempty"`
}
