package dropin_test

import (
	"archive/zip"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

func unpackCases() []scenario {
	tree := an(map[string]string{"run@755": "#!", "private@600": "p", "readonly@444": "r", "group@664": "g", "é/日本.txt": "e", "a/b/c/d/e": "deep", "empty": "", "$HOME 'x'": ""})
	unpack := func(name string, more map[string]string, diffs map[string]string, args ...string) scenario {
		s := scenario{name: "unpack " + name, files: map[string]string{}, first: [][]string{{"pack", "d", "x.mcpb"}}, args: append([]string{"unpack", "x.mcpb"}, args...), diffs: diffs}
		for _, files := range []map[string]string{tree, more} {
			for path, text := range files {
				s.files[path] = text
			}
		}
		return s
	}
	foreign := func(name string, diffs map[string]string, entries ...string) scenario {
		return scenario{name: "unpack " + name, files: map[string]string{"victim": "v"}, args: []string{"unpack", "x.mcpb", "o/p"}, diffs: diffs, setup: func(dir string) error {
			return writeZip(filepath.Join(dir, "x.mcpb"), entries...)
		}}
	}
	refused := map[string]string{code: "unpack-exists", stdout: "unpack-exists", stderr: "unpack-exists", disk: "unpack-exists"}
	return []scenario{
		unpack("here", nil, nil),
		unpack("into a new folder", nil, nil, "o/p/q"),
		unpack("into a folder with other files", map[string]string{"o/mine": "m", "o/server/mine": "m"}, nil, "o"),
		unpack("over the same", map[string]string{"o/server/index.js": "x", "o/empty": ""}, nil, "o"),
		unpack("over something else", map[string]string{"o/server/index.js": "mine"}, refused, "o"),
		unpack("into a file", map[string]string{"o": "mine"}, map[string]string{stderr: "system-words"}, "o"),
		{name: "unpack nothing there", args: []string{"unpack", "nope.mcpb"}},
		{name: "unpack what is no bundle", files: map[string]string{"x.mcpb": "text"}, args: []string{"unpack", "x.mcpb"}, diffs: map[string]string{stderr: "unpack-words"}},
		{name: "unpack an empty file", files: map[string]string{"x.mcpb": ""}, args: []string{"unpack", "x.mcpb", "o"}, diffs: map[string]string{stderr: "unpack-words", disk: "unpack-left"}},
		{name: "unpack a folder", files: map[string]string{"d/": ""}, args: []string{"unpack", "d", "o"}, diffs: map[string]string{stderr: "unpack-words", disk: "unpack-left"}},
		foreign("without manifest", nil, "a", "b/c"),
		foreign("with folders", map[string]string{code: "unpack-folders", stdout: "unpack-folders", stderr: "unpack-folders", disk: "unpack-folders"}, "manifest.json", "b/", "b/c"),
		foreign("that leads out", map[string]string{stderr: "unpack-words", disk: "unpack-left"}, "manifest.json", "../../victim"),
		foreign("with a name twice", map[string]string{code: "unpack-rules", stdout: "unpack-rules", stderr: "unpack-rules", disk: "unpack-rules"}, "manifest.json", "a", "a"),
		{
			name: "unpack through a link", args: []string{"unpack", "x.mcpb", "o"}, diffs: refused, files: map[string]string{"o/": "", "victim": "v"},
			setup: func(dir string) error {
				return errors.Join(writeZip(filepath.Join(dir, "x.mcpb"), "manifest.json", "evil"), os.Symlink("../victim", filepath.Join(dir, "o", "evil")))
			},
		},
		{
			name: "unpack into a link", args: []string{"unpack", "x.mcpb", "link"}, files: map[string]string{"o/mine": ""},
			setup: func(dir string) error {
				return errors.Join(writeZip(filepath.Join(dir, "x.mcpb"), "manifest.json", "b"), os.Symlink("o", filepath.Join(dir, "link")))
			},
		},
	}
}

// writeZip writes an archive of files: "name=content", or only the name, which is the content then. A name that ends
// with a slash is a folder.
func writeZip(path string, files ...string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	for _, file := range files {
		name, text, found := strings.Cut(file, "=")
		if !found {
			text = name
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasSuffix(name, "/") {
			h.SetMode(os.ModeDir | 0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if !strings.HasSuffix(name, "/") {
			if _, err := w.Write([]byte(text)); err != nil {
				return err
			}
		}
	}
	return errors.Join(z.Close(), f.Close())
}
