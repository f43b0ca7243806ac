package sandbox

import "time"

// An Event is something that a server was about to do. It is what the server said, not what holds it: another of its threads
// can change the text between our look and the kernel's. What is granted is enforced elsewhere.
type Event struct {
	Time    time.Time `json:"time"` // of the first one that it counts
	Kind    EventKind `json:"kind"`
	Path    string    `json:"path,omitempty"`   // as the server wrote it: absolute and clean, in its own world; any bytes. Empty: it hid it
	Real    string    `json:"real,omitempty"`   // the file of this machine that is meant, or its place, without links; empty: none
	Needs   string    `json:"needs,omitempty"`  // for a file that is not allowed: what a grant would have to name, Real or the folder that it is made in or removed from; empty: no grant helps
	Folder  bool      `json:"folder,omitempty"` // Needs is one
	PID     int       `json:"pid,omitempty"`    // of the thread, as numbered outside
	Allowed bool      `json:"allowed"`          // the grant covers it, and for a program: it is there
	Argv    []string  `json:"argv,omitempty"`   // Run: the first 16 arguments, each at most 256 bytes
	Count   int       `json:"count,omitempty"`  // how often since the last event of the same kind, path and answer
}

// An EventKind is what a server does.
type EventKind string

// The kinds of events. Reading and writing are seen when a file is opened, or changed by its path; what concerns only the
// server's own places is no event.
const (
	RunEvent   EventKind = "run"   // it starts a program; the first one is the server's own
	ReadEvent  EventKind = "read"  // it opens a file or lists a folder, which is there, in its world or outside
	WriteEvent EventKind = "write" // it opens one for writing, makes, renames, changes or removes one
	LostEvent  EventKind = "lost"  // Count things that it did came too fast to be told, or could not be read
)
