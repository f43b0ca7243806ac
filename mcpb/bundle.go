package mcpb

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"satchel/internal/problem"
	"satchel/internal/spell"
)

// A File is one file of a bundle.
type File struct {
	Name   string      `json:"name"` // slash-separated, relative
	Mode   fs.FileMode `json:"mode"` // permission bits
	Size   int64       `json:"size"` // bytes, unpacked
	Packed int64       `json:"packed"`
}

// A Bundle is an opened bundle whose directory has passed every rule. The content of a file is checked when it is read.
// Its methods are safe for concurrent use, but for Close.
type Bundle struct {
	r       io.ReaderAt
	size    int64
	name    string
	closer  io.Closer
	opened  stamp // of the file, when Open opened it
	layout  *layout
	limits  Limits
	entries []entry
	byName  map[string]*entry
	folders map[string]folderID // with those that only a file's name mentions
}

// Open opens the bundle in a file. Errors are *[Problem]s: Invalid (or Tampered, for a signature block that does not
// fit) when a rule is broken, NotFound when there is no such file. The caller closes the bundle.
func Open(name string, lim Limits) (*Bundle, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cannotRead(name, err)
	}
	if info.IsDir() {
		return nil, refuse("bundle/not-zip", "", "is a folder, not a bundle").At(name).Try("pack it first: satchel pack %s", problem.Words(name))
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return nil, refuse("bundle/not-zip", "", "is a %s, not a regular file", kindOf(info.Mode())).At(name).Try("save its content to a file first")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, cannotRead(name, err)
	}
	opened, err := stampOf(f) // before anything of it is read
	if err != nil {
		return nil, errors.Join(cannotRead(name, err), f.Close())
	}
	b, err := fromFile(f, name, lim)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b.closer, b.opened = f, opened
	return b, nil
}

// Unchanged refuses a bundle whose file was written to, or exchanged, since Open: what was read of it before, such as its
// signature, may be of other bytes than what was read later. Who acts on both asks it last.
func (b *Bundle) Unchanged() error {
	f, ok := b.closer.(*os.File)
	if !ok {
		return nil
	}
	now, err := stampOf(f)
	if err != nil {
		return cannotRead(b.name, err)
	}
	if now != b.opened {
		return problem.New(problem.Refused, "bundle/changed", "was changed or exchanged while it was read").At(b.name).
			Try("see who writes to it, then give the same command again")
	}
	return nil
}

func fromFile(f *os.File, name string, lim Limits) (*Bundle, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, cannotRead(name, err)
	}
	return NewBundle(f, info.Size(), name, lim)
}

// cannotRead is about a file that a person named.
func cannotRead(name string, err error) error {
	p := unreadable(err).At(name)
	if p.Code == problem.NotFound {
		return p.Try("%s", spell.Hint(name))
	}
	return p.Try("look at its permissions")
}

// unreadable makes the problem for an error of the file system, which is not the bundle's fault.
func unreadable(err error) *problem.Problem {
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.NotFound, "bundle/file", "there is no such file")
	}
	return problem.New(problem.Failed, "bundle/file", "cannot be read").Because(err)
}

// NewBundle opens the bundle of size bytes in r, which must not change and must allow concurrent reads. The name is
// for messages.
func NewBundle(r io.ReaderAt, size int64, name string, lim Limits) (*Bundle, error) {
	b := &Bundle{r: r, size: size, name: name, limits: lim.orDefault()}
	if err := b.read(); err != nil {
		return nil, b.locate(err)
	}
	return b, nil
}

func (b *Bundle) read() (err error) {
	if b.layout, err = readLayout(b.r, b.size); err != nil {
		return err
	}
	if b.entries, err = readDirectory(b.r, b.layout, b.limits); err != nil {
		return err
	}
	if err := readLocals(b.r, b.entries, b.layout.dirOffset); err != nil {
		return err
	}
	if p := b.index(); p != nil {
		return p
	}
	if p := b.limits.check(b.entries); p != nil {
		return p
	}
	return nil
}

// index makes the names known, or says which of them cannot stand beside each other.
func (b *Bundle) index() *problem.Problem {
	names := newNameSet(len(b.entries))
	names.limit = b.limits.Entries
	b.byName = make(map[string]*entry, len(b.entries))
	for i := range b.entries {
		e := &b.entries[i]
		if p := names.add(e); p != nil {
			return p
		}
		if !e.dir {
			b.byName[e.name] = e
		}
	}
	if len(b.byName) == 0 {
		return refuse("bundle/no-files", "", "has no files")
	}
	b.folders = names.folders
	return nil
}

// locate puts the bundle's name before what a problem is about.
func (b *Bundle) locate(err error) error {
	p, ok := errors.AsType[*problem.Problem](err)
	switch {
	case !ok:
		return unreadable(err).At(b.name)
	case p.Subject == "":
		return p.At(b.name)
	}
	return p.At(b.name + ": " + p.Subject)
}

// Close closes the file that Open opened.
func (b *Bundle) Close() error {
	if b.closer == nil {
		return nil
	}
	return b.closer.Close()
}

// Size is the bundle's size in bytes as published, with its signature block.
func (b *Bundle) Size() int64 { return b.size }

// Comment is the archive's comment, of any bytes, without a signature block that was written as one. The caller must
// not change it.
func (b *Bundle) Comment() []byte { return b.layout.comment }

// Files lists the files in the archive's order. Folders are left out.
func (b *Bundle) Files() []File {
	files := make([]File, 0, len(b.entries))
	for i := range b.entries {
		if e := &b.entries[i]; !e.dir {
			files = append(files, e.file())
		}
	}
	return files
}

func (e *entry) file() File { return File{e.name, e.mode, e.size, e.packed} }

// Lookup finds the file of a name.
func (b *Bundle) Lookup(name string) (File, bool) {
	e, ok := b.byName[name]
	if !ok {
		return File{}, false
	}
	return e.file(), true
}

// ReadFile reads and checks a whole file of at most limit bytes. The error is an [fs.ErrNotExist] when there is no such
// file, else a *[Problem].
func (b *Bundle) ReadFile(name string, limit int64) ([]byte, error) {
	f, ok := b.Lookup(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if f.Size > limit {
		return nil, b.locate(refuse("bundle/limit-size", name, "has %d bytes, the limit is %d", f.Size, limit))
	}
	r, err := b.OpenFile(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

// Manifest reads manifest.json. A bundle without one can be looked at and unpacked, but not installed.
func (b *Bundle) Manifest() ([]byte, error) {
	if _, ok := b.Lookup("manifest.json"); ok {
		return b.ReadFile("manifest.json", b.limits.ManifestBytes)
	}
	p := refuse("bundle/no-manifest", "", "has no manifest.json")
	for _, f := range b.Files() {
		if path.Base(f.Name) == "manifest.json" {
			p = p.Try("it is in the folder %s; pack that folder itself: satchel pack %s", path.Dir(f.Name), problem.Words(path.Dir(f.Name)))
			break
		}
	}
	return nil, b.locate(p)
}

func digestText(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
