package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/activity"
	"satchel/internal/grant"
	"satchel/internal/problem"
)

// A Deed is a record of what a server of an extension did or was refused. Texts are the server's.
type Deed struct {
	ID string `json:"id"` // of the extension
	activity.Record
}

// Deeds are what was read at once.
type Deeds struct {
	List       []Deed // by time
	Unreadable int    // lines that a crash has torn
}

// A Feed reads what servers did. It is not safe for concurrent use.
type Feed struct {
	ID        string // of the only extension that it is about; empty: all
	log       *activity.Log
	followers map[string]*activity.Follower
}

// Activity gives who reads what the servers of an extension did, or with an empty id those of all. One that was
// uninstalled is found as long as there are records of it. The error is a problem of class NotFound, or Usage when the
// name means several.
func (h *Host) Activity(id string) (*Feed, error) {
	f := &Feed{log: h.activity, followers: map[string]*activity.Follower{}}
	if id == "" {
		return f, nil
	}
	var err error
	if f.ID, err = h.store.Find(id, false); problem.CodeOf(err) != problem.NotFound {
		return f, err
	}
	recorded, err := h.activity.IDs()
	if err != nil {
		return nil, unreadable(err)
	}
	f.ID, err = h.store.Find(id, false, recorded...)
	return f, err
}

// Next gives what was written since it was called last: all, when it was not. What can be read is given with an error too.
func (f *Feed) Next() (Deeds, error) {
	ids, err := []string{f.ID}, error(nil)
	if f.ID == "" {
		ids, err = f.log.IDs()
	}
	var all Deeds
	for _, id := range ids {
		if f.followers[id] == nil {
			f.followers[id] = f.log.Follow(id)
		}
		read, bad := f.followers[id].Next()
		err = errors.Join(err, bad)
		all.Unreadable += read.Torn
		for _, r := range read.Records {
			all.List = append(all.List, Deed{id, r})
		}
	}
	slices.SortStableFunc(all.List, func(a, b Deed) int { return a.Time.Compare(b.Time) })
	if err != nil {
		err = unreadable(err)
	}
	return all, err
}

// Torn counts the files whose last line has no end.
func (f *Feed) Torn() (n int) {
	for _, one := range f.followers {
		if one.Torn() {
			n++
		}
	}
	return n
}

func unreadable(err error) error {
	return problem.New(problem.Failed, "activity/read", "what servers did cannot be read").Because(err).Try("see what is in their place, and who may read it")
}

// A Remedy is what would let an extension do what it was refused.
type Remedy struct {
	ID   string
	Word string // as --grant takes it
}

// Command is what a person types.
func (r Remedy) Command() string {
	return problem.Words("satchel", "permissions", r.ID, "--grant", r.Word)
}

// mostRemedies bounds what is looked at: a server can be refused anything.
const mostRemedies = 50

// Remedies gives the different ones of what was refused, the newest last: not what is granted meanwhile, what can never be
// granted, or what an extension did that is not there any more.
func (h *Host) Remedies(deeds []Deed) []Remedy {
	var list []Remedy
	granted := map[string]*grant.Grant{}
	for _, d := range slices.Backward(deeds) {
		r := Remedy{d.ID, d.Grant}
		if !d.Denied || r.Word == "" || slices.Contains(list, r) {
			continue
		}
		if _, known := granted[d.ID]; !known {
			granted[d.ID] = h.grantOf(d.ID)
		}
		if g := granted[d.ID]; g != nil && h.canGrant(*g, r.Word) {
			list = append(list, r)
		}
		if len(list) == mostRemedies {
			break
		}
	}
	slices.Reverse(list)
	return list
}

// grantOf gives what an installed extension was granted; nil when nothing that is granted would matter.
func (h *Host) grantOf(id string) *grant.Grant {
	in, err := h.store.Get(id)
	if err != nil {
		return nil
	}
	rec, err := h.agreed(in)
	if err != nil || rec.NoSandbox {
		return nil
	}
	return &rec.Grant
}

// canGrant tells whether a word grants something new and would be taken.
func (h *Host) canGrant(g grant.Grant, word string) bool {
	m := h.grants()
	i, err := grant.Parse(word, m)
	if err != nil || g.Covers(i) {
		return false
	}
	_, err = grant.Resolve(grant.Of(i), m)
	return err == nil
}

// Refused gives what the server that was started last was refused: the first few different things.
func (h *Host) Refused() []Deed {
	rec := h.last.Load()
	if rec == nil {
		return nil
	}
	var list []Deed
	for _, r := range rec.Denied() {
		list = append(list, Deed{rec.ID(), r})
	}
	return list
}

// asker names the program that started this one; empty where that cannot be told.
func asker() string {
	name, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(os.Getppid()), "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}
