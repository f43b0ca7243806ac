package dropin

import (
	"io"
	"os"
	"path/filepath"

	"satchel/internal/atomicfile"
	"satchel/internal/scaffold"
	"satchel/internal/term"
)

func initCommand() command {
	yes := option{short: "-y", long: "--yes", about: "Accept all defaults (non-interactive mode)"}
	return command{
		name: "init", about: "Create a new MCPB extension manifest", args: []string{"[directory]"}, options: []option{yes},
		run: func(s *session, c call) int {
			dir, err := filepath.Abs(c.arg(0, "."))
			if err != nil {
				return s.fail("Failed to create manifest", err)
			}
			if c.has(yes) {
				return s.initByDefault(dir)
			}
			return s.initByForm(dir)
		},
	}
}

// initByDefault writes what the reference makes of package.json.
func (s *session) initByDefault(dir string) int {
	path := filepath.Join(dir, "manifest.json")
	if _, err := os.Lstat(path); err == nil {
		s.say("manifest.json already exists. Use --force to overwrite in non-interactive mode.")
		return 1
	}
	s.say("Creating manifest.json with default values...")
	data, err := scaffold.ReferenceManifest(dir, readPackageJSON(filepath.Join(dir, "package.json")))
	if err != nil {
		return s.fail("Failed to create manifest", err)
	}
	if err := atomicfile.Write(path, data, 0o644); err != nil {
		return s.fail("Failed to create manifest", err)
	}
	s.sayCreated(path)
	return 0
}

func (s *session) sayCreated(path string) {
	s.say("\nCreated manifest.json at %s", term.VisibleLine(path))
	s.say("\nNext steps:")
	s.say("1. Ensure all your production dependencies are in this directory")
	s.say("2. Run 'mcpb pack' to create your .mcpb file")
}

// maxProjectFile bounds what is read of a package.json, in bytes; package scaffold refuses less.
const maxProjectFile = 16 << 20

// readPackageJSON gives nil when there is none, or none that can be read: the reference goes on then.
func readPackageJSON(path string) []byte {
	f, err := openRegular(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProjectFile))
	if err != nil {
		return nil
	}
	return data
}

// initByForm asks what the reference asks. A manifest that is there stays unless the person agrees.
func (s *session) initByForm(dir string) int {
	path := filepath.Join(dir, "manifest.json")
	if _, err := os.Lstat(path); err == nil {
		yes, err := s.Ask("manifest.json already exists. Overwrite?")
		if err != nil {
			s.complain("ERROR: manifest.json already exists, and there is no terminal to ask at")
			return 1
		}
		if !yes {
			s.say("Cancelled")
			return 1
		}
	}
	s.say("This utility will help you create a manifest.json file for your MCPB bundle.")
	s.say("Press ^C at any time to quit.\n")
	if err := s.Create(s.ctx, dir); err != nil {
		s.say("\nCancelled")
		return s.fail("Failed to create manifest", err)
	}
	s.sayCreated(path)
	return 0
}
