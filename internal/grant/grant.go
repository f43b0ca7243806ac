package grant

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// A Grant is what an extension may do beside running its own files and writing to its own folder. The zero value is
// that and nothing else. Its JSON form is stable: it is what records keep.
type Grant struct {
	Files    []File   `json:"files,omitempty"`
	Net      Net      `json:"net,omitzero"`
	Programs Programs `json:"programs,omitzero"`
	Env      []string `json:"env,omitempty"` // names of variables that are passed through
	Desktop  Desktop  `json:"desktop,omitzero"`
	Client   Client   `json:"client,omitzero"`
	Limits   Limits   `json:"limits,omitzero"`
	Secrets  []string `json:"secrets,omitempty"` // keys of the secret answers that it receives
}

// A File is a file, or a folder with all that is below.
type File struct {
	Path  string `json:"path"`
	Write bool   `json:"write,omitempty"` // to read as well
	Inode uint64 `json:"inode,omitempty"` // what was there when it was agreed to; zero: not known
}

// Net is the network that it may reach.
type Net struct {
	Any   bool   `json:"any,omitempty"` // every public host, with TLS and HTTP
	Hosts []Host `json:"hosts,omitempty"`
	Ports []int  `json:"ports,omitempty"` // TCP ports of this machine
	// Sockets are Unix sockets of this machine, by path. Their inodes are not kept: a service makes its socket anew.
	Sockets []string `json:"sockets,omitempty"`
}

// A Host is a name, or the canonical form of an address, with a port. Raw is any protocol over TCP, else TLS or HTTP.
type Host struct {
	Name string `json:"name"`
	Port int    `json:"port"`
	Raw  bool   `json:"raw,omitempty"`
}

// Programs are programs of this machine that it may run, by name or by absolute path.
type Programs struct {
	Any   bool     `json:"any,omitempty"`
	Names []string `json:"names,omitempty"`
}

// Desktop is what of the person's session it may reach.
type Desktop struct {
	Clipboard bool `json:"clipboard,omitempty"`
	Display   bool `json:"display,omitempty"`
	DBus      bool `json:"dbus,omitempty"`
}

// Client is what it may ask of the AI app.
type Client struct {
	Sampling    bool `json:"sampling,omitempty"`
	Elicitation bool `json:"elicitation,omitempty"`
	Roots       bool `json:"roots,omitempty"`
}

// Limits bound what it may use. Zero is the default, see [DefaultLimits].
type Limits struct {
	Memory    int64 `json:"memory,omitempty"` // bytes
	Temp      int64 `json:"temp,omitempty"`   // bytes in its temporary folder
	Processes int64 `json:"processes,omitempty"`
	OpenFiles int64 `json:"open_files,omitempty"`
	CPU       int64 `json:"cpu_seconds,omitempty"` // of one process
}

// DefaultLimits are the limits where a grant names none. Zero is no limit.
func DefaultLimits() Limits { return Limits{Temp: 256 << 20, Processes: 256, OpenFiles: 4096} }

// Of makes the grant of some items.
func Of(items ...Item) Grant { return Grant{}.With(items...) }

// Items gives what is granted, item by item, in canonical order.
func (g Grant) Items() []Item {
	g = g.Canonical()
	var items []Item
	add := func(k Kind, value string) { items = append(items, Item{k, value}) }
	flag := func(set bool, k Kind, value string) {
		if set {
			add(k, value)
		}
	}
	for _, f := range g.Files {
		flag(!f.Write, KindRead, f.Path)
		flag(f.Write, KindWrite, f.Path)
	}
	flag(g.Net.Any, KindNet, anything)
	for _, h := range g.Net.Hosts {
		add(KindNet, h.word())
	}
	for _, p := range g.Net.Ports {
		add(KindPort, strconv.Itoa(p))
	}
	for _, s := range g.Net.Sockets {
		add(KindSocket, s)
	}
	flag(g.Programs.Any, KindRun, anything)
	for _, p := range g.Programs.Names {
		add(KindRun, p)
	}
	for _, e := range g.Env {
		add(KindEnv, e)
	}
	for _, f := range flags(&g) {
		flag(*f.set, f.kind, "")
	}
	for _, l := range limits(&g) {
		flag(*l.value > 0, l.kind, l.word(*l.value))
	}
	for _, s := range g.Secrets {
		add(KindSecret, s)
	}
	return items
}

// Words gives the word form of every item.
func (g Grant) Words() []string {
	var words []string
	for _, i := range g.Items() {
		words = append(words, i.String())
	}
	return words
}

// IsZero tells whether nothing is granted.
func (g Grant) IsZero() bool { return len(g.Items()) == 0 }

// Equal tells whether both grant the same items. Which file a path was when it was agreed to does not count.
func (g Grant) Equal(h Grant) bool { return slices.Equal(g.Items(), h.Items()) }

// Canonical gives the same grant sorted, with what is there twice merged: writing counts before reading the same path,
// and a raw host before the same one with TLS and HTTP only.
func (g Grant) Canonical() Grant {
	g.Files = merged(g.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) }, func(a *File, b File) {
		a.Write = a.Write || b.Write
		a.Inode = cmp.Or(a.Inode, b.Inode)
	})
	g.Net.Hosts = merged(g.Net.Hosts, func(a, b Host) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Port, b.Port))
	}, func(a *Host, b Host) { a.Raw = a.Raw || b.Raw })
	g.Net.Ports = sorted(g.Net.Ports)
	g.Net.Sockets = sorted(g.Net.Sockets)
	g.Programs.Names = sorted(g.Programs.Names)
	g.Env = sorted(g.Env)
	g.Secrets = sorted(g.Secrets)
	return g
}

// merged gives a sorted copy in which join took those together that compare says are the same; nil when it is empty.
func merged[T any](list []T, compare func(a, b T) int, join func(into *T, more T)) []T {
	var out []T
	for _, v := range slices.SortedStableFunc(slices.Values(list), compare) {
		if n := len(out); n > 0 && compare(out[n-1], v) == 0 {
			join(&out[n-1], v)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func sorted[T cmp.Ordered](list []T) []T {
	return merged(list, cmp.Compare[T], func(*T, T) {})
}

// A flagField is a yes or no of a grant.
type flagField struct {
	kind Kind
	set  *bool
}

func flags(g *Grant) []flagField {
	return []flagField{
		{KindClipboard, &g.Desktop.Clipboard}, {KindDisplay, &g.Desktop.Display}, {KindDBus, &g.Desktop.DBus},
		{KindSampling, &g.Client.Sampling}, {KindElicitation, &g.Client.Elicitation}, {KindRoots, &g.Client.Roots},
	}
}

// A limitField is a limit of a grant.
type limitField struct {
	kind     Kind
	value    *int64
	least    int64 // what nothing runs below
	usual    int64 // the default; zero: no limit
	byUnits  string
	perUnits int64
}

func limits(g *Grant) []limitField {
	d := DefaultLimits()
	const sizes, times = "KMGT", "smh"
	return []limitField{
		{KindMemory, &g.Limits.Memory, 32 << 20, d.Memory, sizes, 1024},
		{KindTemp, &g.Limits.Temp, 1 << 20, d.Temp, sizes, 1024},
		{KindProcesses, &g.Limits.Processes, 32, d.Processes, "", 0},
		{KindOpenFiles, &g.Limits.OpenFiles, 32, d.OpenFiles, "", 0},
		{KindCPU, &g.Limits.CPU, 1, d.CPU, times, 60},
	}
}

// limitOf gives the field of a kind; false when the kind is no limit.
func limitOf(g *Grant, k Kind) (limitField, bool) {
	for _, l := range limits(g) {
		if l.kind == k {
			return l, true
		}
	}
	return limitField{}, false
}

// noLimit is more than every limit.
const noLimit = int64(1) << 62

// effective is what holds: the value, else the default.
func (l limitField) effective() int64 { return cmp.Or(*l.value, l.usual, noLimit) }

// item is the field as an item, also where it is the default.
func (l limitField) item() Item {
	if v := l.effective(); v != noLimit {
		return Item{l.kind, l.word(v)}
	}
	return Item{l.kind, anything}
}

// seconds gives the CPU time as package spec has it.
func (l Limits) seconds() time.Duration { return time.Duration(l.CPU) * time.Second }
