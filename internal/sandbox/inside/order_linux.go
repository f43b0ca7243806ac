package inside

import (
	"satchel/internal/sandbox/seccomp"
)

// An Order is what init does, made by the host and handed over in a sealed memory file. It decides everything; init
// follows it. It holds the server's secrets.
type Order struct {
	Build    bool // the world is to be built; else bwrap has built it
	Path     string
	Argv     []string
	Env      []string
	Dir      string
	UID, GID int // of the server, inside
	Host     string
	Doors    []int  // ports to listen on
	Root     []Step // how the world is built, in this order
	Rules    []Rule // what Landlock allows
	Net      bool   // whether TCP is left alone: the network is the world's own
	Connect  []int  // the ports that may be connected to where Net is not: Landlock knows no addresses
	Filter   []seccomp.Instruction
	Watch    bool // the filter asks the host about some calls
	Limits   []Limit
}

// A Step makes one place of the world. Its kind says which fields count.
type Step struct {
	Kind     StepKind
	Path     string
	From     string   // bind, over: where it is outside; link: what it points to; text: its content
	Write    bool     // bind
	Dev, Ino uint64   // bind, over: what From must be; zero: anything
	Maybe    bool     // bind: may be missing outside
	Size     int64    // temp, over: bytes; all overlays share those of the first
	Hide     []string // over: what of it is not there, relative
}

// A StepKind is what a step makes.
type StepKind string

// The kinds of steps.
const (
	StepDir   StepKind = "dir"
	StepLink  StepKind = "link"
	StepText  StepKind = "text"
	StepBind  StepKind = "bind"
	StepDev   StepKind = "dev"   // a device: the one bind that keeps devices working
	StepProc  StepKind = "proc"  // the processes of the server's world
	StepMask  StepKind = "mask"  // something empty over a file or a folder that is there
	StepTemp  StepKind = "temp"  // memory to write to
	StepShelf StepKind = "shelf" // a folder of memory to put places on
	StepSeal  StepKind = "seal"  // nothing can be put on a shelf any more
	StepOver  StepKind = "over"  // a folder of the machine whose changes stay in memory
	StepPin   StepKind = "pin"   // a folder onto itself, so that it can be neither renamed nor removed
)

// A Rule is what Landlock allows at and below a path.
type Rule struct {
	Path    string
	Write   bool
	Execute bool
	List    bool // only the names in folders
	Maybe   bool // may be missing
	Here    bool // may be a link, which is followed
}

// A Limit is one of setrlimit.
type Limit struct {
	Resource int
	Value    uint64
}
