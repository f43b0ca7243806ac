package activity

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

// What is read of a file at most, and of one line, in bytes.
const (
	longestRead = 8 * longestFile
	longestLine = 64 << 10
)

// A Follower reads the records of one extension. It is not safe for concurrent use.
type Follower struct {
	path string
	cur  fs.FileInfo // of the file that was read last; nil before the first
	at   int64       // how far
	torn bool        // its last line has no end
}

// Follow gives who reads the records of an extension.
func (l *Log) Follow(id string) *Follower { return &Follower{path: l.path(id)} }

// A Reading is what was read at once.
type Reading struct {
	Records []Record // by time
	Torn    int      // lines that could not be read
}

// Next gives what was written since it was called last: all, when it was not.
func (f *Follower) Next() (Reading, error) {
	var res Reading
	cur, err := openRegular(f.path)
	if err != nil {
		return res, err
	}
	if cur != nil {
		defer cur.file.Close()
	}
	if cur != nil && f.cur != nil && os.SameFile(f.cur, cur.info) {
		if cur.info.Size() < f.at {
			f.at = 0
		}
		err = f.read(cur, &res)
		return res, err
	}
	before, err := openRegular(f.path + older)
	if err != nil {
		return res, err
	}
	if before != nil {
		defer before.file.Close()
		if f.cur == nil || !os.SameFile(f.cur, before.info) {
			f.at = 0
		}
		if cur == nil || !os.SameFile(before.info, cur.info) { // else it was moved between our two looks
			err = f.read(before, &res)
		}
		f.endTorn(&res)
	}
	f.at = 0
	if cur != nil {
		err = errors.Join(err, f.read(cur, &res))
	}
	slices.SortStableFunc(res.Records, func(a, b Record) int { return a.Time.Compare(b.Time) })
	return res, err
}

// Torn tells whether the last line has no end: a crash, when nobody is writing.
func (f *Follower) Torn() bool { return f.torn }

// endTorn counts a last line that nobody will complete.
func (f *Follower) endTorn(res *Reading) {
	if f.torn {
		res.Torn++
	}
	f.torn = false
}

type opened struct {
	file *os.File
	info fs.FileInfo
}

// openRegular opens a file to read; nil when there is none.
func openRegular(path string) (*opened, error) {
	if _, err := regular(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // moved meanwhile
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &opened{f, info}, nil
}

// read reads the lines from where the last reading ended. One without an end is left for the next.
func (f *Follower) read(from *opened, res *Reading) error {
	f.cur, f.torn = from.info, false
	b := bufio.NewReaderSize(io.NewSectionReader(from.file, f.at, longestRead), longestLine)
	for {
		line, size, err := nextLine(b)
		if errors.Is(err, io.EOF) {
			f.torn = size > 0
			return nil
		}
		if err != nil {
			return err
		}
		f.at += size
		var rec Record
		switch {
		case size == 1: // what a crash has torn was ended by it
		case json.Unmarshal(line, &rec) != nil:
			res.Torn++
		default:
			res.Records = append(res.Records, rec)
		}
	}
}

// nextLine gives a line and its size; of one that is too long only the size.
func nextLine(b *bufio.Reader) (line []byte, size int64, err error) {
	line, err = b.ReadSlice('\n')
	size = int64(len(line))
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = b.ReadSlice('\n')
		line, size = nil, size+int64(len(more))
	}
	return line, size, err
}
