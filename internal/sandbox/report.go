package sandbox

// A Mode is how a server is held.
type Mode string

// The modes, the strongest first. A Launcher takes the first that the machine lets it have.
const (
	Namespaces Mode = "namespaces" // a world of its own, made by us
	Bubblewrap Mode = "bubblewrap" // the same, made by the system's bwrap, where we may make none
	Landlock   Mode = "landlock"   // the machine's own root and processes, with walls around the server: limited
	Seatbelt   Mode = "seatbelt"   // macOS: rules around the server, kept by the kernel
	Restricted Mode = "restricted" // Windows: few rights, low integrity and a job object: writing is held, reading is not
)

// world tells whether a server has a world of its own, where the network and the paths are its own too.
func (m Mode) world() bool { return m == Namespaces || m == Bubblewrap }

// A State is what the probe found of one line.
type State string

// The states of a line.
const (
	Enforced State = "enforced"     // it was tried and refused
	Open     State = "not enforced" // it worked
	ByDesign State = "by design"    // it works in every mode, and harms nobody: docs/sandbox.md says why
	Untried  State = "not tried"    // this machine has no ground for it
)

// A Line is one attack of the probe and what became of it.
type Line struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	State State  `json:"state"`
	Why   string `json:"why"` // what refused it
}

// A Report is what a machine enforces, as the probe found it from inside a sandbox. It comes from nothing else.
type Report struct {
	Mode  Mode   `json:"mode"`
	Lines []Line `json:"lines"`
}

// Count gives how many lines of a group are in a state; an empty group is all of them.
func (r Report) Count(group string, s State) (n int) {
	for _, l := range r.Lines {
		if l.State == s && (group == "" || l.Group == group) {
			n++
		}
	}
	return n
}

// Groups are those of the lines, in their order.
func (r Report) Groups() (groups []string) {
	for _, l := range r.Lines {
		if len(groups) == 0 || groups[len(groups)-1] != l.Group {
			groups = append(groups, l.Group)
		}
	}
	return groups
}
