package mcpb

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// ReadFile reads a file of the folder dir by its slash-separated path, for who looks at a folder before it is packed:
// relative links are followed inside the folder only, no pipe is waited for, no device is opened. Errors are *[Problem]s:
// NotFound when there is no such folder or file, Usage when dir is a file, Invalid for a link out of the folder, for what
// is no regular file, and for one of more than limit bytes.
func ReadFile(dir, name string, limit int64) ([]byte, error) {
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	at := filepath.Join(dir, filepath.FromSlash(name))
	f, err := openRegular(root, name, at)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, cannotReadInput(at, err)
	case int64(len(data)) > limit:
		return nil, problem.New(problem.Invalid, "folder/file", "is larger than %d bytes", limit).At(at).Try("is it the right file?")
	}
	return data, nil
}

// openFolder opens a folder that a person named. To open a pipe would wait for its writer, so it is looked at first.
func openFolder(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, cannotReadInput(dir, err)
	}
	if !info.IsDir() {
		return nil, problem.New(problem.Usage, "pack/input", "is no folder").At(dir).Try("give the folder that it is in: %s", filepath.Dir(dir))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, cannotReadInput(dir, err)
	}
	return root, nil
}

func openRegular(root *os.Root, name, at string) (*os.File, error) {
	info, err := root.Stat(filepath.FromSlash(name))
	if err != nil {
		return nil, notInFolder(root, name, at, err)
	}
	if !info.Mode().IsRegular() {
		return nil, problem.New(problem.Invalid, "folder/file", "is a %s, not a regular file", kindOf(info.Mode())).At(at).Try("name a file")
	}
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, notInFolder(root, name, at, err)
	}
	return f, nil
}

// notInFolder says why a file cannot be opened: of a link, where it leads.
func notInFolder(root *os.Root, name, at string, err error) error {
	to, notLink := root.Readlink(filepath.FromSlash(name))
	switch {
	case notLink == nil && errors.Is(err, fs.ErrNotExist):
		return problem.New(problem.NotFound, "folder/link", "is a link to %s, which is not there", to).At(at).Try("remove it, or correct it")
	case notLink == nil:
		return problem.New(problem.Invalid, "folder/link", "is a link to %s; only relative links that stay in the folder are followed", to).At(at).
			From("docs/security.md").Try("copy the file into the folder in place of the link")
	}
	return cannotReadInput(at, err)
}

// cannotReadInput is about a file or folder that is to be packed.
func cannotReadInput(name string, err error) error {
	if !errors.Is(err, os.ErrNotExist) {
		return problem.New(problem.Failed, "pack/input", "cannot be read").At(name).Because(err).Try("look at its permissions")
	}
	hint := spell.Hint(name)
	if filepath.Base(name) == manifestName {
		hint += "\nsatchel init " + filepath.Dir(name) + " writes one"
	}
	return problem.New(problem.NotFound, "pack/input", "there is no such file or folder").At(name).Try("%s", hint)
}
