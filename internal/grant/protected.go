package grant

import (
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/spec"
)

// Protected are the places that stay out of reach inside every granted folder, sorted: secrets are neither read nor
// written, what programs start by themselves is not written. They need not exist. It looks at no file: see [Sandbox] for
// where links among them lead.
func Protected(m Machine) []spec.Protected {
	all := map[string]bool{}
	add := func(secret bool, list ...string) {
		for _, p := range list {
			if clean, err := m.clean(p); err == nil {
				all[clean] = all[clean] || secret
			}
		}
	}
	add(true, m.Own...)
	for _, b := range m.bases() {
		add(true, m.below(b.dir, b.secrets)...)
		add(false, m.below(b.dir, b.starts)...)
	}
	add(true, m.pointed()...)
	for _, dir := range strings.Split(m.env("PATH"), m.listSeparator()) {
		add(false, dir)
	}
	secrets, starts := systemPlaces(m)
	add(true, secrets...)
	add(false, starts...)
	var list []spec.Protected
	for p, secret := range all {
		if !inside(m.User.Home, p) { // such as /root, or a home as a PATH folder
			list = append(list, spec.Protected{Path: p, Secret: secret})
		}
	}
	slices.SortFunc(list, func(a, b spec.Protected) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// A base is a folder of the person with the places below it.
type base struct{ dir, secrets, starts string }

func (m Machine) bases() []base {
	home := m.User.Home
	list := []base{{home, homeSecrets + aiApps, homeStarts}}
	switch m.OS {
	case "windows":
		roaming, local := m.or("APPDATA", "AppData/Roaming"), m.or("LOCALAPPDATA", "AppData/Local")
		list = append(list, base{roaming, roamingSecrets, roamingStarts}, base{local, localSecrets, localStarts},
			base{m.join(home, ".config"), configSecrets, ""},
			base{home, "", "Documents/PowerShell, Documents/WindowsPowerShell, scoop, NTUSER.DAT, .dotnet/tools"})
		if docs := m.User.Documents; docs != "" {
			list = append(list, base{docs, "", "PowerShell, WindowsPowerShell"})
		}
	case "darwin":
		list = append(list, base{m.join(home, "Library"), librarySecrets, libraryStarts}, base{home, "", "Applications"})
		fallthrough
	default:
		list = append(list, base{m.join(home, ".config"), configSecrets, configStarts}, base{m.join(home, ".local/share"), dataSecrets, dataStarts})
		// Where the settings were moved to; old ones may have stayed behind.
		list = append(list, base{m.env("XDG_CONFIG_HOME"), configSecrets, configStarts}, base{m.env("XDG_DATA_HOME"), dataSecrets, dataStarts})
	}
	return list
}

// or gives the folder that a variable names, else one below the home.
func (m Machine) or(key, below string) string {
	if dir := m.env(key); m.absolute(dir) {
		return dir
	}
	return m.join(m.User.Home, below)
}

func (m Machine) listSeparator() string {
	if m.OS == "windows" {
		return ";"
	}
	return ":"
}

// below gives the places of a list below a folder; none when there is no such folder.
func (m Machine) below(dir, list string) []string {
	if !m.absolute(dir) {
		return nil
	}
	names := listed(list)
	for i, n := range names {
		names[i] = m.join(dir, n)
	}
	return names
}

// listed reads a list with commas and line ends.
func listed(list string) []string {
	var names []string
	for _, n := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '\n' }) {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	return names
}

// pointed are the places that variables of well-known programs name.
func (m Machine) pointed() []string {
	var list []string
	for _, key := range listed(pointers) {
		list = append(list, strings.Split(m.env(key), m.listSeparator())...) // KUBECONFIG is a list
	}
	return list
}

func systemPlaces(m Machine) (secrets, starts []string) {
	switch m.OS {
	case "windows":
		root := m.env("SystemRoot")
		if !m.absolute(root) {
			root = `C:\Windows`
		}
		drive := root[:3]
		return m.below(root, "System32/config"), append(m.below(drive, "Program Files, Program Files (x86), ProgramData"), root)
	case "darwin":
		return listed(darwinSecrets), listed(darwinStarts)
	}
	return listed(linuxSecrets), listed(linuxStarts)
}

// SecretIn finds a secret that is, or would be, below a folder; "" when there is none. A server's own folders are shown to
// it whole, so that they must have none.
func SecretIn(dir string, m Machine) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	path, _ := m.fence(Protected(m)).secretBelow(dir)
	return path
}
