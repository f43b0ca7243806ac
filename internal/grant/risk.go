package grant

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"satchel/internal/spec"
)

// A Risk is what a person should know of some items before agreeing.
type Risk struct {
	spec.Risk
	Items []Item `json:"items"`
}

// Risks weighs a grant, the worst first. Hosts that answered covers were named by the person in an answer; every other
// one is free: the author chose it, or all are. It looks at no file, so a link is weighed by its name: [Resolve] first.
func Risks(g, answered Grant, m Machine) []Risk { return weigh(g.Canonical(), answered, m) }

// weigh is Risks for a grant as it is, with what is there twice.
func weigh(g, answered Grant, m Machine) []Risk {
	w := weigher{g: g, answered: answered, m: m, fence: m.fence(Protected(m))}
	w.files()
	w.hosts()
	w.ports()
	w.sockets()
	w.programs()
	w.desktop()
	w.limits()
	slices.SortStableFunc(w.risks, func(a, b Risk) int { return cmp.Compare(rank(b.Level), rank(a.Level)) })
	return w.risks
}

func rank(l spec.Level) int {
	return slices.Index([]spec.Level{None, spec.Medium, spec.High, Refused}, l)
}

type weigher struct {
	g, answered Grant
	m           Machine
	fence       fence
	risks       []Risk
}

func (w *weigher) add(l spec.Level, i Item, format string, args ...any) {
	w.risks = append(w.risks, Risk{spec.Risk{Level: l, Text: fmt.Sprintf(format, args...)}, []Item{i}})
}

func (w *weigher) files() {
	for _, f := range w.g.Files {
		w.file(f)
	}
}

func (w *weigher) file(f File) {
	i := Item{KindRead, f.Path}
	verb := "reads"
	if f.Write {
		i.kind, verb = KindWrite, "changes and deletes"
	}
	below, secret := w.fence.secretBelow(f.Path)
	switch why := w.fence.forbids(f); {
	case why != "":
		w.add(Refused, i, "%s %s, which %s", verb, f.Path, why)
	case isSocket(f.Path):
		w.add(spec.High, i, "%s %s: with it, it can run any program on this machine", verb, f.Path)
	case w.m.within(w.m.User.Home, f.Path):
		w.add(spec.High, i, "%s %s: your whole home but for known secrets, as it is when the server starts", verb, f.Path)
	case secret:
		w.add(spec.High, i, "%s %s, where programs keep secrets such as %s; known ones stay out of reach", verb, f.Path, below)
	case w.temporary(f.Path):
		w.add(spec.High, i, "%s %s: the temporary files of every program", verb, f.Path)
	case w.hidden(f.Path):
		w.add(spec.High, i, "%s %s, where programs keep their settings", verb, f.Path)
	case f.Write:
		w.add(spec.Medium, i, "changes and deletes what is in %s", f.Path)
	}
}

func (w *weigher) temporary(path string) bool {
	return slices.Contains([]string{"/tmp", "/var/tmp", "/private/tmp", "/private/var/tmp", w.m.User.Temp}, path)
}

// hidden tells whether a path holds the settings of many programs.
func (w *weigher) hidden(path string) bool {
	for _, name := range []string{".config", ".local", ".local/share", ".local/state", ".cache", "Library", "Library/Application Support", "AppData"} {
		if dir := w.m.join(w.m.User.Home, name); w.m.within(path, dir) && w.m.within(dir, path) {
			return true
		}
	}
	return false
}

// isSocket tells the well-known sockets of services that run any program for whoever connects.
func isSocket(path string) bool {
	for _, name := range []string{"docker.sock", "podman.sock", "containerd.sock", "crio.sock", "cri-dockerd.sock", "docker_engine", "buildkitd.sock", "snapd.socket"} {
		if strings.HasSuffix(path, "/"+name) || strings.HasSuffix(path, `\`+name) {
			return true
		}
	}
	return false
}

// hosts: a folder and a way out together are how data leaves. Each host is judged with the files that are granted.
func (w *weigher) hosts() {
	reads := w.userFiles()
	if w.g.Net.Any {
		w.add(spec.High, Item{KindNet, anything}, "reaches every host of the internet%s", sends(reads))
	}
	for _, h := range w.g.Net.Hosts {
		i := Item{KindNet, h.word()}
		named := w.answered.Covers(i)
		switch {
		case h.Name == "169.254.169.254" || h.Name == "fd00:ec2::254" || strings.HasPrefix(h.Name, "metadata."):
			w.add(spec.High, i, "reaches %s, which hands out this machine's credentials in a cloud", h.Name)
		case reads != "" && !named:
			w.add(spec.High, i, "reaches %s%s", h.Name, sends(reads))
		case reads != "":
			w.add(spec.Medium, i, "reaches %s, which you named%s", h.Name, sends(reads))
		case !h.public():
			w.add(spec.Medium, i, "reaches %s in your own network", h.Name)
		case h.Raw:
			w.add(spec.Medium, i, "speaks any protocol with %s", h.Name)
		}
	}
}

func sends(what string) string {
	if what == "" {
		return ""
	}
	return " and can send it " + what
}

// userFiles names what of the person's it could send away; "" for nothing.
func (w *weigher) userFiles() string {
	var list []string
	for _, f := range w.g.Files {
		if !w.m.within(f.Path, "/usr") && !w.m.within(f.Path, "/System") && !w.m.within(f.Path, `C:\Windows`) {
			list = append(list, f.Path)
		}
	}
	if w.g.Desktop.Clipboard {
		list = append(list, "your clipboard")
	}
	switch {
	case len(list) == 0:
		return ""
	case len(list) > 3:
		return fmt.Sprintf("what is in %s and %d more", strings.Join(list[:2], ", "), len(list)-2)
	}
	return "what is in " + strings.Join(list, ", ")
}

func (w *weigher) ports() {
	for _, p := range w.g.Net.Ports {
		i := Item{KindPort, fmt.Sprint(p)}
		switch p {
		case 2375, 2376:
			w.add(spec.High, i, "reaches Docker on this machine: with it, it can run any program")
		case 9222, 9229:
			w.add(spec.High, i, "reaches the debugger of a browser or of node on this machine: with it, it acts as that program")
		default:
			w.add(spec.Medium, i, "reaches what listens on port %d of this machine", p)
		}
	}
}

func (w *weigher) sockets() {
	for _, path := range w.g.Net.Sockets {
		i := Item{KindSocket, path}
		switch why := w.fence.forbidsSocket(path); {
		case why != "":
			w.add(Refused, i, "speaks to %s, which %s", path, why)
		case isSocket(path):
			w.add(spec.High, i, "speaks to %s: with it, it can run any program on this machine", path)
		case actsForYou(path):
			w.add(spec.High, i, "speaks to %s: with it, it acts as you, on your screen, in your session or with your keys", path)
		default:
			w.add(spec.Medium, i, "speaks to what listens on %s", path)
		}
	}
}

// actsForYou tells the well-known sockets of agents with keys, of message buses, and of screen and sound.
func actsForYou(path string) bool {
	name := path[strings.LastIndexByte(path, '/')+1:]
	for _, known := range []string{"bus", "system_bus_socket", "private", "ssh", "pkcs11", "control", "native", "default"} {
		if name == known {
			return true
		}
	}
	for _, part := range []string{"agent", "wayland-", "pipewire-", "X11-unix/", "ICE-unix/", "dbus", "keyring", "tmux-", "systemd/", "editor", "nvim", "vscode-"} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

func (w *weigher) programs() {
	if w.g.Programs.Any {
		w.add(spec.High, Item{KindRun, anything}, "runs any program of this machine, inside its sandbox")
	}
	for _, p := range w.g.Programs.Names {
		w.add(spec.Medium, Item{KindRun, p}, "runs %s, inside its sandbox", p)
	}
	for _, e := range w.g.Env {
		if soundsSecret(e) {
			w.add(spec.High, Item{KindEnv, e}, "gets the value of %s, whose name says that it is a secret", e)
		}
	}
}

// soundsSecret tells whether a variable's name says that it holds a secret, or leads to where there are some.
func soundsSecret(name string) bool {
	name = strings.ToUpper(name)
	for _, part := range []string{"SECRET", "TOKEN", "PASSW", "PASSPHRASE", "CREDENTIAL", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE", "AUTH", "COOKIE", "SESSION", "DATABASE_URL", "DSN"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return strings.HasSuffix(name, "_KEY") || strings.HasSuffix(name, "_PAT") || name == "DOCKER_HOST"
}

// shut is why a permission is refused that means something to authors, and that no sandbox gives.
const shut = "no sandbox opens this door yet"

func (w *weigher) desktop() {
	d, c := w.g.Desktop, w.g.Client
	if d.DBus {
		w.add(Refused, Item{KindDBus, ""}, "speaks to the programs of your session: "+shut)
	}
	if d.Display {
		w.add(Refused, Item{KindDisplay, ""}, "sees what is on your screen and can see and make key presses: "+shut)
	}
	if d.Clipboard {
		w.add(Refused, Item{KindClipboard, ""}, "reads and changes your clipboard: "+shut)
	}
	if c.Sampling {
		w.add(spec.Medium, Item{KindSampling, ""}, "asks your AI app's model, on your account")
	}
	if c.Elicitation {
		w.add(spec.Medium, Item{KindElicitation, ""}, "asks you questions in your AI app")
	}
	if c.Roots {
		w.add(spec.Medium, Item{KindRoots, ""}, "learns which folders are open in your AI app")
	}
}

func (w *weigher) limits() {
	usual := Grant{}
	for _, l := range limits(&w.g) {
		if i := l.item(); !usual.Covers(i) {
			w.add(spec.Medium, i, "uses more than is usual: %s", i)
		}
	}
}

// Plain says what an item means, in the words of a review.
func Plain(i Item) string {
	v := i.value
	switch i.kind {
	case KindRead:
		return "reads " + v
	case KindWrite:
		return "reads, changes and deletes " + v
	case KindNet:
		return plainHost(v)
	case KindPort:
		return "reaches port " + v + " of this machine"
	case KindSocket:
		return "speaks to what listens on " + v
	case KindRun:
		if v == anything {
			return "runs any program of this machine"
		}
		return "runs " + v
	case KindEnv:
		return "gets your variable " + v
	case KindSecret:
		return "gets your secret answer to " + v
	}
	if i.value != "" {
		return "uses at most: " + i.String()
	}
	return map[Kind]string{
		KindClipboard: "reads and changes the clipboard", KindDisplay: "sees and controls the screen", KindDBus: "speaks to the programs of your session",
		KindSampling: "asks your AI app's model", KindElicitation: "asks you questions", KindRoots: "learns which folders are open in your AI app",
	}[i.kind]
}

func plainHost(v string) string {
	if v == anything {
		return "reaches every host of the internet"
	}
	if rest, raw := strings.CutPrefix(v, "tcp:"); raw {
		return "reaches " + rest + " with any protocol"
	}
	return "reaches " + v
}
