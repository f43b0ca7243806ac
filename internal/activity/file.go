package activity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"satchel/internal/filelock"
)

// errRemoved says that somebody removed the records while a server ran.
var errRemoved = errors.New("the records were removed")

// A file is where one run writes. It is used by one goroutine.
type file struct {
	log  *Log
	path string
	made bool // it was there once: who removed it meant it
}

// append writes whole lines in one write, behind what other processes wrote. It begins another file when this one is long.
func (f *file) append(lines []byte) (err error) {
	out, err := f.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	var last [1]byte
	if n, _ := out.ReadAt(last[:], info.Size()-1); n == 1 && last[0] != '\n' {
		lines = append([]byte{'\n'}, lines...) // what a crash has torn stays one line
	}
	_, err = out.Write(lines)
	return err
}

// mostTries bounds how often other processes may exchange the file in the moment in which we open it.
const mostTries = 20

func (f *file) open() (out *os.File, err error) {
	for range mostTries {
		info, err := regular(f.path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() >= f.log.most {
			err = f.begin()
		}
		if err != nil {
			return nil, err
		}
		f.made = true
		if out, err = os.OpenFile(f.path, os.O_RDWR|os.O_APPEND, 0); !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	return nil, fs.ErrNotExist
}

// regular looks at a file. Anything else in its place is an error: to open a pipe would wait for ever.
func regular(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	return info, err
}

// begin begins a file, and keeps the one that was there, unless another process has just done so.
func (f *file) begin() error {
	if err := os.MkdirAll(f.log.dir, 0o700); err != nil {
		return err
	}
	unlock, err := f.log.lock()
	if err != nil {
		return err
	}
	defer unlock()
	info, err := regular(f.path)
	switch {
	case err == nil && info.Size() < f.log.most:
		return nil
	case err == nil:
		if err := os.Rename(f.path, f.path+older); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case f.made:
		if _, err := os.Lstat(f.path + older); err != nil { // else who began another died before it was there
			return errRemoved
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	made, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return made.Close()
}

// lock keeps other processes from beginning files and removing them; to write a line nobody needs it.
func (l *Log) lock() (unlock func(), err error) {
	return filelock.Lock(filepath.Join(l.dir, lockName), true)
}
