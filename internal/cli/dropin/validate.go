package dropin

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

func validateCommand() command {
	return command{
		name: "validate", about: "Validate an MCPB manifest file", args: []string{"<manifest>"},
		run: func(s *session, c call) int {
			if _, ok := s.validate(c.args[0]); !ok {
				return 1
			}
			return 0
		},
	}
}

// validate checks the manifest in a file or a folder, prints what the reference prints, and gives the manifest's bytes.
func (s *session) validate(path string) ([]byte, bool) {
	file, inFolder := path, false
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		file, inFolder = filepath.Join(path, "manifest.json"), true
	}
	data, err := readManifest(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.complain("ERROR: File not found: %s", term.VisibleLine(path))
		if inFolder {
			s.complain("  (No manifest.json found in directory)")
		}
		return nil, false
	case err != nil:
		s.fail("Error reading manifest", err)
		return nil, false
	}
	v := manifest.AsReference(data)
	switch {
	case v.Syntax != "":
		s.complain("ERROR: Invalid JSON in manifest file: %s", v.Syntax)
		return nil, false
	case v.Version == "":
		s.say("Unrecognized or unsupported manifest version")
		return nil, false
	case len(v.Issues) > 0:
		s.sayIssues(v.Issues)
		return nil, false
	}
	s.say("Manifest schema validation passes!")
	return data, v.Icon == "" || s.checkIcon(v.Icon, filepath.Dir(file))
}

func (s *session) sayIssues(issues []manifest.ReferenceIssue) {
	s.say("ERROR: Manifest validation failed:\n")
	for _, issue := range issues {
		text := issue.Message
		if path := strings.Join(issue.Path, "."); path != "" {
			text = path + ": " + text
		}
		s.say("  - %s", term.VisibleLine(text))
	}
}

// errNotRegular: to read a pipe would wait for its writer.
var errNotRegular = errors.New("it is not a regular file")

// readManifest reads one byte more than a manifest may have at most, so that a larger one is found to be.
func readManifest(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, manifest.MaxSize+1))
}

func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return os.Open(path)
}

// checkIcon checks the file of the icon as the reference does, and prints what it says.
func (s *session) checkIcon(icon, dir string) bool {
	errs, warnings := lookAtIcon(icon, dir)
	title, lines := "ERROR: Icon validation failed:", errs
	if len(errs) == 0 {
		title, lines = "Icon validation warnings:", warnings
	}
	s.say("\n%s\n", title)
	for _, line := range lines {
		s.say("  - %s", term.VisibleLine(line))
	}
	return len(errs) == 0
}

func lookAtIcon(icon, dir string) (errs, warnings []string) {
	remote := strings.HasPrefix(icon, "http://") || strings.HasPrefix(icon, "https://")
	if remote {
		warnings = append(warnings, "Icon path uses a remote URL. "+
			`Best practice for local MCP servers: Use local files like "icon": "icon.png" for maximum compatibility. `+
			"Claude Desktop currently only supports local icon files in bundles.")
	}
	variable := strings.Contains(icon, "${__dirname}")
	if variable {
		errs = append(errs, "Icon path should not use ${__dirname} variable substitution. "+
			`Use a simple relative path like "icon.png" instead of "${__dirname}/icon.png".`)
	}
	absolute := filepath.IsAbs(icon)
	if absolute {
		errs = append(errs, `Icon path must be relative to the bundle root, not an absolute path. Found: "`+icon+`"`)
	}
	if remote || variable || absolute {
		return errs, warnings
	}
	switch png, err := isPNG(filepath.Join(dir, filepath.FromSlash(icon))); {
	case errors.Is(err, fs.ErrNotExist):
		errs = append(errs, "Icon file not found at path: "+icon)
	case err != nil:
		errs = append(errs, `Unable to read icon file at "`+icon+`": `+err.Error())
	case !png:
		errs = append(errs, `Icon file must be PNG format. The file at "`+icon+`" does not appear to be a valid PNG file.`)
	default:
		warnings = append(warnings, "Icon validation passed. Recommended size is 512×512 pixels for best display in Claude Desktop.")
	}
	return errs, warnings
}

// isPNG looks at the first eight bytes only.
func isPNG(path string) (bool, error) {
	f, err := openRegular(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 8))
	return string(head) == "\x89PNG\r\n\x1a\n", err
}
