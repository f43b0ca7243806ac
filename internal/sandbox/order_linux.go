package sandbox

import (
	"satchel/internal/sandbox/seccomp"
)

// An order is what init does, made by the host and handed over in a sealed memory file. It decides everything; init
// follows it. It holds the server's secrets.
type order struct {
	Mode     Mode
	Path     string
	Argv     []string
	Env      []string
	Dir      string
	UID, GID int // of the server, inside
	Host     string
	Doors    []Door
	Root     []step // how the world is built, in this order
	Rules    []rule // what Landlock allows
	Net      bool   // whether TCP is allowed at all
	Filter   []seccomp.Instruction
	Limits   []limit
}

// A step makes one place of the world. Its kind says which fields count.
type step struct {
	Kind     stepKind
	Path     string
	From     string // bind: where it is outside; link: what it points to; text: its content
	Write    bool   // bind
	Dev, Ino uint64 // bind: what From must be; zero: anything
	Maybe    bool   // bind: may be missing outside
	Size     int64  // temp: bytes
}

// A stepKind is what a step makes.
type stepKind string

// The kinds of steps.
const (
	stepDir   stepKind = "dir"
	stepLink  stepKind = "link"
	stepText  stepKind = "text"
	stepBind  stepKind = "bind"
	stepDev   stepKind = "dev"   // a device: the one bind that keeps devices working
	stepProc  stepKind = "proc"  // the processes of the server's world
	stepMask  stepKind = "mask"  // something empty over a file or a folder that is there
	stepTemp  stepKind = "temp"  // memory to write to
	stepShelf stepKind = "shelf" // a folder of memory to put places on
	stepSeal  stepKind = "seal"  // nothing can be put on a shelf any more
	stepPin   stepKind = "pin"   // a folder onto itself, so that it can be neither renamed nor removed
)

// A rule is what Landlock allows at and below a path.
type rule struct {
	Path    string
	Write   bool
	Execute bool
	List    bool // only the names in folders
	Maybe   bool // may be missing
	Here    bool // may be a link, which is followed
}

// A limit is one of setrlimit.
type limit struct {
	Resource int
	Value    uint64
}
