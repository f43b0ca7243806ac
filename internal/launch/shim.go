package launch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// behindShim gives the program that a version manager's stand-in starts: a stand-in reads the manager's own files, which
// a sandbox does not show. "" says that it cannot be told, or that the system's program is meant. A path that is no
// stand-in is given back.
//
// The layouts are those of pyenv, nodenv and rbenv (shims, versions, version), asdf (shims that name their plugin,
// installs), mise (shims, installs) and Volta (tools/image, tools/user/platform.json).
func behindShim(path string, m Machine) string {
	dir, name := filepath.Split(path)
	root := filepath.Dir(filepath.Clean(dir))
	switch {
	case filepath.Base(dir) == "shims" && isFolder(root, "versions"):
		return ofVersions(root, name, m)
	case filepath.Base(dir) == "shims" && isFolder(root, "installs"):
		return ofInstalls(path, root, name, m)
	case filepath.Base(dir) == "bin" && isFolder(root, "tools", "image"):
		return ofVolta(root, name)
	}
	return path
}

func isFolder(parts ...string) bool {
	info, err := os.Stat(filepath.Join(parts...))
	return err == nil && info.IsDir()
}

// ofVersions: a variable, else the file version, lists versions in the order in which they are searched.
func ofVersions(root, name string, m Machine) string {
	manager := strings.TrimPrefix(filepath.Base(root), ".")
	text := strings.ReplaceAll(m.Getenv(strings.ToUpper(manager)+"_VERSION"), ":", "\n")
	if text == "" {
		text = small(filepath.Join(root, "version"))
	}
	for _, v := range strings.Fields(text) {
		if !plainName(v) {
			continue
		}
		if program := filepath.Join(root, "versions", v, "bin", name); isProgram(program) {
			return program
		}
	}
	return ""
}

// ofInstalls: asdf's stand-ins name plugin and versions in comments, and the person's .tool-versions picks one; mise
// keeps a link "latest".
func ofInstalls(shim, root, name string, m Machine) string {
	picked := map[string]string{}
	for line := range strings.Lines(small(filepath.Join(m.User.Home, ".tool-versions"))) {
		if words := strings.Fields(line); len(words) > 1 {
			picked[words[0]] = words[1]
		}
	}
	named := regexp.MustCompile(`(?m)^# asdf-plugin: (\S+) (\S+)$`).FindAllStringSubmatch(small(shim), -1)
	slices.Reverse(named) // the newest is named last
	slices.SortStableFunc(named, func(a, b []string) int {
		switch {
		case picked[a[1]] == a[2] && picked[b[1]] != b[2]:
			return -1
		case picked[b[1]] == b[2] && picked[a[1]] != a[2]:
			return 1
		}
		return 0
	})
	for _, plugin := range map[string][]string{"node": {"node", "nodejs"}, "npx": {"node", "nodejs"}, "python": {"python"}, "python3": {"python"}, "uv": {"uv"}}[name] {
		named = append(named, []string{"", plugin, "latest"})
	}
	for _, n := range named {
		if !plainName(n[1]) || !plainName(n[2]) {
			continue
		}
		for _, place := range []string{"bin", ""} {
			if program := filepath.Join(root, "installs", n[1], n[2], place, name); isProgram(program) {
				return program
			}
		}
	}
	return ""
}

func ofVolta(root, name string) string {
	var platform struct {
		Node struct {
			Runtime string `json:"runtime"`
		} `json:"node"`
	}
	err := json.Unmarshal([]byte(small(filepath.Join(root, "tools", "user", "platform.json"))), &platform)
	if err != nil || !plainName(platform.Node.Runtime) {
		return ""
	}
	if program := filepath.Join(root, "tools", "image", "node", platform.Node.Runtime, "bin", name); isProgram(program) {
		return program
	}
	return ""
}

// plainName tells whether a text may be one element of a path.
func plainName(v string) bool {
	return v != "" && v != "." && v != ".." && !strings.ContainsAny(v, `/\`)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// small gives the text of a file of settings; empty when it cannot be read, is no file, or is too large to be one.
func small(path string) string {
	const most = 64 << 10
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
