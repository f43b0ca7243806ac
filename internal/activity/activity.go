// Package activity keeps what servers did and were refused: each start and end, attempts at the network, programs, and
// files where somebody asked for them.
//
//	activity/<namespace>/<name>.jsonl     the records of an extension, one JSON document in each line
//	activity/<namespace>/<name>.jsonl.1   older ones: the file before, when that had become long
//
// [Log.Begin] records one run of a server. It never makes the server or its proxy wait: what comes faster than it can be
// kept is counted, and the count is a record. Equal things within a few seconds are one record. What one run can write is
// bounded, so that a server cannot soon push out what it did before. [Log.Follow] reads. Several processes may write and read the records of
// one extension at once. Lines that a crash has torn are skipped and counted.
//
// Texts are the server's own: show them with term.VisibleLine.
package activity

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Kind is what a record is about.
type Kind string

// The kinds of records.
const (
	Start Kind = "start" // of a server
	End   Kind = "end"
	Net   Kind = "net"   // an attempt at the network
	Run   Kind = "run"   // a program
	Read  Kind = "read"  // a file was opened, or a folder listed
	Write Kind = "write" // a file was opened for writing, made, renamed, changed or removed
	Lost  Kind = "lost"  // Count things that were not kept
)

// A Record is one line. What says nothing is left out.
type Record struct {
	Time     time.Time `json:"time"`               // of the first that it counts
	Until    time.Time `json:"until,omitzero"`     // of the last
	Run      string    `json:"run"`                // which run of the server
	Kind     Kind      `json:"kind"`               //
	What     string    `json:"what,omitempty"`     // host:port, or a path
	Denied   bool      `json:"denied,omitempty"`   // it was refused
	Count    int       `json:"count,omitempty"`    // how often, when that is not once
	Rule     string    `json:"rule,omitempty"`     // that refused it
	Why      string    `json:"why,omitempty"`      // it was refused, failed, or is not known
	Grant    string    `json:"grant,omitempty"`    // what would have let it pass, as --grant takes it
	Via      string    `json:"via,omitempty"`      // Net: the door
	Address  string    `json:"address,omitempty"`  // Net: that a name led to
	Proxy    string    `json:"proxy,omitempty"`    // Net: the corporate one that it went through
	Sent     int64     `json:"sent,omitempty"`     // Net: bytes
	Received int64     `json:"received,omitempty"` // Net: bytes
	Mode     string    `json:"mode,omitempty"`     // Start: how it is held
	App      string    `json:"app,omitempty"`      // Start: the program that asked for it
	Code     *int      `json:"code,omitempty"`     // End: the exit code
}

// What a record's texts may have at most, in bytes. JSON writes some of them with six.
const (
	longestText = 1024
	longestWord = 300
)

// bounded gives a record whose texts are. A grant that is too long is none: half of it would grant something else.
func (r Record) bounded() Record {
	r.What = cut(r.What, longestText)
	for _, s := range []*string{&r.Rule, &r.Why, &r.Via, &r.Address, &r.Proxy, &r.Mode, &r.App} {
		*s = cut(*s, longestWord)
	}
	if len(r.Grant) > longestText {
		r.Grant = ""
	}
	return r
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}

func (r Record) line() []byte {
	text, err := json.Marshal(r)
	if err != nil { // a time of another era: nothing else can fail
		return nil
	}
	return append(text, '\n')
}

// times is how often what a record tells of happened.
func (r Record) times() int { return max(r.Count, 1) }

// A Log is the records of all extensions, in one folder. It is safe for concurrent use.
type Log struct {
	dir  string
	most int64 // bytes in a file, until another is begun
}

// longestFile is when another file is begun: two of them are kept for an extension.
const longestFile = 4 << 20

// Open opens the records in a folder. Nothing is made until a server runs.
func Open(dir string) *Log { return &Log{dir, longestFile} }

const (
	ending   = ".jsonl"
	older    = ".1" // behind the name of the file before
	lockName = ".lock"
)

// path is the file of an extension, whose id must be one that the store gave.
func (l *Log) path(id string) string { return filepath.Join(l.dir, filepath.FromSlash(id)+ending) }

// IDs gives the ids of the extensions that have records, sorted.
func (l *Log) IDs() ([]string, error) {
	namespaces, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var ids []string
	for _, n := range namespaces {
		if !n.IsDir() {
			continue
		}
		files, more := os.ReadDir(filepath.Join(l.dir, n.Name()))
		if more != nil && !errors.Is(more, fs.ErrNotExist) {
			err = errors.Join(err, more)
		}
		for _, f := range files {
			if name, ok := strings.CutSuffix(strings.TrimSuffix(f.Name(), older), ending); ok && f.Type().IsRegular() {
				ids = append(ids, n.Name()+"/"+name)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// Remove removes the records of an extension. A server of it that runs writes none any more.
func (l *Log) Remove(id string) error {
	if _, err := os.Lstat(l.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, path := range []string{l.path(id) + older, l.path(id)} {
		if more := os.Remove(path); !errors.Is(more, fs.ErrNotExist) {
			err = errors.Join(err, more)
		}
	}
	_ = os.Remove(filepath.Dir(l.path(id))) // the namespace's, when it is empty
	return err
}
