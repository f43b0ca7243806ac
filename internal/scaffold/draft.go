package scaffold

import (
	"bytes"
	"encoding/json"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/scaffold/detect"
	"satchel/mcpb/manifest"
)

// A Draft is a manifest in the making.
type Draft struct {
	Manifest manifest.Manifest
	Sources  []detect.Source // where the values come from that were not made up
	Notes    []detect.Note   // what was left out, and why
}

// Settled is what the person has decided before anything is read or asked.
type Settled struct {
	ManifestVersion string // "" is the current one, or the first that knows the type of server
	Author          string // who git says the person is; used when the project names nobody
}

// fromGit is the source of an author that is not the project's.
const fromGit = "git config: user.name"

// FromProject makes a draft of what the project in dir says, and defaults for the rest: it is a valid manifest, but
// that its entry point may not be there yet. Errors are problems: of class Failed when dir cannot be read, Usage for a
// manifest version that is not known or does not know the type of server.
func FromProject(dir string, s Settled) (*Draft, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	found, err := detect.Read(abs)
	if err != nil {
		return nil, err
	}
	d := &Draft{Manifest: found.Manifest, Sources: found.Sources, Notes: found.Notes}
	m := &d.Manifest
	setDefault(&m.Name, detect.SafeName(filepath.Base(abs)))
	setDefault(&m.Version, "1.0.0")
	setDefault(&m.Description, "An MCP server.")
	if m.Author.Name == "" && s.Author != "" && detect.Refusal(func(m *manifest.Manifest) { m.Author.Name = s.Author }) == "" {
		m.Author.Name = s.Author
		d.Sources = append(d.Sources, detect.Source{Field: "author.name", From: fromGit})
	}
	setDefault(&m.Author.Name, "Unknown Author")
	setDefault(&m.Server.Type, manifest.Node)
	setDefault(&m.Server.EntryPoint, DefaultEntry(m.Server.Type, m.Name))
	m.Server.MCPConfig = CommandFor(m.Server.Type, m.Server.EntryPoint)
	m.ManifestVersion, err = versionFor(s.ManifestVersion, m.Server.Type)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// KnownVersion refuses a manifest version that there is not; "" is the current one. The error is a problem of class Usage.
func KnownVersion(asked string) error {
	if slices.Contains([]string{"", "0.1", "0.2", "0.3", "0.4"}, asked) {
		return nil
	}
	return problem.New(problem.Usage, "init/manifest-version", "%q is no manifest version: 0.1, 0.2, 0.3 and 0.4 are", asked).Try("--manifest-version 0.3")
}

// versionFor gives the manifest version to write: the one asked for, else the least that this build writes and that
// knows the type of server.
func versionFor(asked, serverType string) (string, error) {
	switch {
	case asked == "" && serverType == manifest.UV:
		return "0.4", nil
	case asked == "":
		return "0.3", nil
	case serverType == manifest.UV && asked != "0.4" && KnownVersion(asked) == nil:
		return "", problem.New(problem.Usage, "init/manifest-version", "manifest version %s knows no server of type uv, which this project is", asked).Try("--manifest-version 0.4")
	}
	return asked, KnownVersion(asked)
}

// DefaultEntry is where the program of a server usually is.
func DefaultEntry(serverType, name string) string {
	switch serverType {
	case manifest.Python, manifest.UV:
		return "server/main.py"
	case manifest.Binary:
		return "server/" + detect.SafeName(name)
	}
	return "server/index.js"
}

// CommandFor is the command of a server of this type. A Python program below src finds its own package there.
func CommandFor(serverType, entry string) *manifest.MCPConfig {
	program := "${__dirname}/" + entry
	switch serverType {
	case manifest.Python:
		// Windows has no python3, macOS no python.
		c := &manifest.MCPConfig{
			Command:           manifest.Command{Command: "python3", Args: []string{program}},
			PlatformOverrides: map[string]manifest.Command{"win32": {Command: "python"}},
		}
		if top, _, below := strings.Cut(path.Clean(entry), "/"); below && top == "src" {
			c.Env = map[string]string{"PYTHONPATH": "${__dirname}/src"}
		}
		return c
	case manifest.UV:
		return &manifest.MCPConfig{Command: manifest.Command{Command: "uv", Args: []string{"run", "--directory", "${__dirname}", entry}}}
	case manifest.Binary:
		return &manifest.MCPConfig{Command: manifest.Command{Command: program}}
	}
	return &manifest.MCPConfig{Command: manifest.Command{Command: "node", Args: []string{program}}}
}

// Render gives the bytes of a manifest.json: indented by two, characters as they are.
func Render(m *manifest.Manifest) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(m)
	return b.Bytes(), err
}
