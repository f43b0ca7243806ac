package mcpb

import (
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// FS shows the bundle's files as a file system, for checks such as "is this icon there". It is safe for concurrent use.
func (b *Bundle) FS() fs.FS {
	return &fileSystem{
		lookup:   b.Lookup,
		isFolder: func(name string) bool { return b.folders[name] != 0 },
		open:     func(name string) (io.ReadCloser, error) { return b.open(b.byName[name], b.r), nil },
		children: sync.OnceValue(func() map[string][]fs.DirEntry { return childrenOf(b.Files(), maps.Keys(b.folders)) }),
	}
}

// FS shows the files of the plan as the bundle will have them, read from the folder that was planned. It is safe for
// concurrent use. A file that changes meanwhile is read as it is then.
func (p *PackPlan) FS() (fs.FS, error) {
	root, err := realPath(p.Dir)
	if err != nil {
		return nil, cannotReadInput(p.Dir, err)
	}
	files, byName, folders := make([]File, len(p.Files)), make(map[string]PackedFile, len(p.Files)), map[string]bool{}
	for i, f := range p.Files {
		files[i], byName[f.Name] = File{Name: f.Name, Mode: f.Mode, Size: f.Size}, f
		for dir := path.Dir(f.Name); dir != "." && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	return &fileSystem{
		lookup: func(name string) (File, bool) {
			f, ok := byName[name]
			return File{Name: f.Name, Mode: f.Mode, Size: f.Size}, ok
		},
		isFolder: func(name string) bool { return folders[name] },
		missing:  p.whyMissing,
		open: func(name string) (io.ReadCloser, error) {
			return openInside(root, byName[name].source)
		},
		children: sync.OnceValue(func() map[string][]fs.DirEntry { return childrenOf(files, maps.Keys(folders)) }),
	}, nil
}

// whyMissing gives the error for what is not in the plan: it says by which rule a file that the folder has stays out.
func (p *PackPlan) whyMissing(name string) error {
	for _, x := range p.Excluded {
		folder, isFolder := strings.CutSuffix(x.Name, "/")
		if name == x.Name || isFolder && (name == folder || strings.HasPrefix(name, x.Name)) {
			if _, err := os.Lstat(filepath.Join(p.Dir, filepath.FromSlash(name))); err == nil {
				return leftOut(x.Reason)
			}
		}
	}
	return fs.ErrNotExist
}

// A leftOut is the error of opening a file that stays out of the bundle, for the reason that it is. It is an
// [fs.ErrNotExist].
type leftOut string

func (e leftOut) Error() string        { return "left out: " + string(e) }
func (e leftOut) LeftOut() string      { return string(e) }
func (e leftOut) Is(target error) bool { return target == fs.ErrNotExist }

// openInside opens a file below a folder, follows no link out of it and waits for no pipe.
func openInside(dir, source string) (io.ReadCloser, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(filepath.FromSlash(source), os.O_RDONLY|nonblock, 0)
}

// childrenOf lists what is in each folder, by name.
func childrenOf(files []File, folders iter.Seq[string]) map[string][]fs.DirEntry {
	children := map[string][]fs.DirEntry{}
	add := func(name string, f File) {
		children[path.Dir(name)] = append(children[path.Dir(name)], fs.FileInfoToDirEntry(fileInfo{f}))
	}
	for _, f := range files {
		add(f.Name, f)
	}
	for name := range folders {
		if name != "." {
			add(name, folderOf(name))
		}
	}
	for _, list := range children {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return children
}

func folderOf(name string) File { return File{Name: name, Mode: fs.ModeDir | 0o755} }

// A fileSystem shows a list of files.
type fileSystem struct {
	lookup   func(name string) (File, bool)
	isFolder func(name string) bool
	open     func(name string) (io.ReadCloser, error) // of a file that lookup finds
	missing  func(name string) error                  // why there is no such file; nil: for no reason
	children func() map[string][]fs.DirEntry          // made when it is first asked for: few callers list
}

// Open implements [fs.FS].
func (f *fileSystem) Open(name string) (fs.File, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &shownFolder{info: info.(fileInfo), list: func() []fs.DirEntry { return f.children()[name] }}, nil
	}
	r, err := f.open(name)
	if err != nil {
		return nil, err
	}
	return openFile{info.(fileInfo), r}, nil
}

// Stat implements [fs.StatFS].
func (f *fileSystem) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	if file, ok := f.lookup(name); ok {
		return fileInfo{file}, nil
	}
	if name == "." || f.isFolder(name) {
		return fileInfo{folderOf(name)}, nil
	}
	err := error(fs.ErrNotExist)
	if f.missing != nil {
		err = f.missing(name)
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
}

type fileInfo struct{ File }

func (i fileInfo) Name() string       { return path.Base(i.File.Name) }
func (i fileInfo) Size() int64        { return i.File.Size }
func (i fileInfo) Mode() fs.FileMode  { return i.File.Mode }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return i.File.Mode.IsDir() }
func (i fileInfo) Sys() any           { return nil }

type openFile struct {
	info fileInfo
	io.ReadCloser
}

func (f openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

type shownFolder struct {
	info fileInfo
	list func() []fs.DirEntry
	read int
}

func (f *shownFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *shownFolder) Close() error               { return nil }
func (f *shownFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.File.Name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (f *shownFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := f.list()[f.read:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		rest = rest[:min(n, len(rest))]
	}
	f.read += len(rest)
	return slices.Clone(rest), nil
}
