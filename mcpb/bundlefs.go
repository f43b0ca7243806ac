package mcpb

import (
	"io"
	"io/fs"
	"path"
	"time"
)

// FS shows the bundle's files as a file system, for checks such as "is this icon there". Folders can be asked for but
// not listed.
func (b *Bundle) FS() fs.FS { return bundleFS{b} }

type bundleFS struct{ b *Bundle }

// Open implements [fs.FS].
func (f bundleFS) Open(name string) (fs.File, error) {
	info, err := f.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return shownFolder{info.(fileInfo)}, nil
	}
	return openFile{info.(fileInfo), f.b.open(f.b.byName[name], f.b.r)}, nil
}

// Stat implements [fs.StatFS].
func (f bundleFS) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	if e, ok := f.b.byName[name]; ok {
		return fileInfo{File: e.file()}, nil
	}
	if name == "." || f.b.folders[name] {
		return fileInfo{File{Name: name, Mode: fs.ModeDir | 0o755}}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
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

type shownFolder struct{ info fileInfo }

func (f shownFolder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f shownFolder) Close() error               { return nil }
func (f shownFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.File.Name, Err: fs.ErrInvalid}
}
