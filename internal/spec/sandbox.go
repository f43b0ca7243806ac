package spec

import "time"

// A Sandbox is what a server is held to: what the person granted, in terms that an operating system can enforce. It is
// pure data and means the same on every system. All paths are absolute, and those of Files
// and Protect are real: no link is left in them.
type Sandbox struct {
	Files    []File      // what it may read, and where it may write
	Protect  []Protected // what stays out of reach, even below one of Files
	Net      Net
	Programs Programs
	Limits   Limits
}

// A File is a granted file or folder with all that is below.
type File struct {
	Path     string
	Write    bool
	Dev, Ino uint64 // what it was when it was agreed to: another file in its place is refused. Zero: not looked at
}

// A Protected path is never written to; a Secret one is not read either. It need not exist.
type Protected struct {
	Path   string
	Secret bool
}

// Net is the network that a server may reach. The zero value is none.
type Net struct {
	Any   bool
	Hosts []Host
	Ports []int // TCP ports of this machine
	// Sockets are Unix sockets of this machine, by path. They are no network: None says nothing of them.
	Sockets []string
	Told    bool // where nothing is granted: what is tried becomes known all the same, at doors where it is refused
}

// None tells whether nothing of the network is granted.
func (n Net) None() bool { return !n.Any && len(n.Hosts) == 0 && len(n.Ports) == 0 }

// A Host is a name with a port. Raw grants any protocol over TCP; otherwise it is TLS or HTTP, and says so in its first
// bytes.
type Host struct {
	Name string
	Port int
	Raw  bool
}

// Programs are the programs of this machine that a server may run beside its own: none is the zero value.
type Programs struct {
	Any   bool
	Paths []string
}

// Limits bound what a server may use. Zero is the default of the sandbox for that limit.
type Limits struct {
	Memory    int64 // bytes
	Temp      int64 // bytes in its temporary folder
	Processes int   // with threads
	Files     int   // open ones
	CPU       time.Duration
}
