package activity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestMain lets the test binary be one of several processes that write.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ACTIVITY_WRITER"); dir != "" {
		most, err1 := strconv.ParseInt(os.Getenv("ACTIVITY_MOST"), 10, 64)
		n, err2 := strconv.Atoi(os.Getenv("ACTIVITY_RECORDS"))
		if err := errors.Join(err1, err2, writeMany(&Log{dir, most}, n)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeMany writes records one by one, as a run does that has little to tell.
func writeMany(l *Log, n int) error {
	f := file{log: l, path: l.path(id)}
	for i := range n {
		rec := Record{Kind: Run, What: strconv.Itoa(i), Run: strconv.Itoa(os.Getpid()), Time: time.Now()}
		if err := f.append(rec.line()); err != nil {
			return err
		}
	}
	return nil
}

const id = "local/notes"

func read(t *testing.T, l *Log) Reading {
	t.Helper()
	res, err := l.Follow(id).Next()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// told writes records in one line each.
func told(records []Record) (lines []string) {
	for _, r := range records {
		lines = append(lines, fmt.Sprintf("%s %s %v %d", r.Kind, r.What, r.Denied, r.times()))
	}
	return lines
}

func wants(t *testing.T, got []Record, want ...string) {
	t.Helper()
	if lines := told(got); !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nnot\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestARunIsKept(t *testing.T) {
	t.Parallel()
	l := Open(filepath.Join(t.TempDir(), "activity"))
	r := l.Recorder(id)
	if _, err := os.Stat(l.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made before a server ran: %v", err)
	}
	r.Add(Record{Kind: Run, What: "/usr/bin/git"})
	r.Begin(Record{Mode: "namespaces", App: "editor"})
	r.Add(Record{Kind: Net, What: "x.test:443", Denied: true, Grant: "net:x.test", Rule: "egress/not-granted"})
	code := 3
	r.End(Record{Code: &code})
	r.Add(Record{Kind: Net, What: "late"})
	got := read(t, l).Records
	slices.SortStableFunc(got, func(a, b Record) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	wants(t, got, "end  false 1", "net x.test:443 true 1", "run /usr/bin/git false 1", "start  false 1")
	if e, n, s := got[0], got[1], got[3]; *e.Code != 3 || n.Grant != "net:x.test" || n.Rule != "egress/not-granted" || s.Mode != "namespaces" || s.App != "editor" || s.Run != e.Run || s.Run == "" {
		t.Errorf("got %+v", got)
	}
	if ids, err := l.IDs(); err != nil || !slices.Equal(ids, []string{id}) {
		t.Errorf("ids %q, %v", ids, err)
	}
	info, err := os.Stat(l.path(id))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestNothingIsWrittenOfARunThatDidNotBegin(t *testing.T) {
	t.Parallel()
	l := Open(filepath.Join(t.TempDir(), "activity"))
	r := l.Recorder(id)
	r.Add(Record{Kind: Run, What: "x"})
	r.End(Record{})
	if _, err := os.Stat(l.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
}

// TestEqualThingsAreOneRecord: the first is told at once, the others when their window ends.
func TestEqualThingsAreOneRecord(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		r := l.Recorder(id)
		r.Begin(Record{})
		f := l.Follow(id)
		next := func(want ...string) {
			t.Helper()
			synctest.Wait()
			res, err := f.Next()
			if err != nil {
				t.Fatal(err)
			}
			wants(t, res.Records, want...)
		}
		for range 1000 {
			r.Add(Record{Kind: Net, What: "a", Sent: 2})
		}
		r.Add(Record{Kind: Net, What: "a", Denied: true})
		next("start  false 1", "net a false 1", "net a true 1")
		time.Sleep(window)
		next("net a false 999")
		time.Sleep(window)
		next()
		r.Add(Record{Kind: Net, What: "a", Count: 5})
		r.Add(Record{Kind: Net, What: "a"})
		next("net a false 5")
		r.End(Record{})
		next("net a false 1", "end  false 1")
	})
}

// TestAFloodIsBounded: a server that causes a million different things neither waits, nor fills the disk or the memory,
// and what was not kept is counted.
func TestAFloodIsBounded(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		r := l.Recorder(id)
		r.Begin(Record{})
		const servers, each = 4, 50_000
		long := strings.Repeat("\x01", 3*longestText)
		var all sync.WaitGroup
		for s := range servers {
			all.Go(func() {
				for i := range each {
					r.Add(Record{Kind: Net, What: fmt.Sprint(s, "-", i, long), Why: long, Rule: long, Grant: long, Address: long, Via: long, Denied: true})
				}
			})
		}
		all.Wait()
		r.mu.Lock()
		if len(r.seen) > mostKinds || len(r.ready) > mostKinds+1 || len(r.denied) > mostDenied {
			t.Errorf("kept: %d kinds, %d lines, %d refusals", len(r.seen), len(r.ready), len(r.denied))
		}
		r.mu.Unlock()
		time.Sleep(window)
		r.End(Record{})
		info, err := os.Stat(l.path(id))
		if err != nil || info.Size() > mostAtOnce+mostAtOnce/8 {
			t.Errorf("%d bytes on disk, %v", info.Size(), err)
		}
		res := read(t, l)
		if n := total(res.Records); n != servers*each || res.Torn > 0 {
			t.Errorf("%d of %d things are kept or counted, %d lines are torn", n, servers*each, res.Torn)
		}
		if last := res.Records[len(res.Records)-1]; last.Kind != End {
			t.Errorf("the end is not told: %+v", last)
		}
	})
}

// TestAFloodOfRefusalsHidesNothing that was done, nor does the reverse.
func TestAFloodOfRefusalsHidesNothing(t *testing.T) {
	t.Parallel()
	for _, denied := range []bool{false, true} {
		l := Open(t.TempDir())
		synctest.Test(t, func(t *testing.T) {
			r := l.Recorder(id)
			r.Begin(Record{})
			for range 3 { // until there is neither room nor a place left
				for i := range 2 * mostKinds {
					r.Add(Record{Kind: Net, What: fmt.Sprint(i, strings.Repeat("x", 900)), Denied: denied})
				}
				time.Sleep(window)
			}
			for i := range 2 * mostKinds {
				r.Add(Record{Kind: Net, What: fmt.Sprint(i, strings.Repeat("x", 900)), Denied: denied})
			}
			r.Add(Record{Kind: Net, What: "it", Denied: !denied})
			refused := r.Denied()
			r.End(Record{})
			if want := fmt.Sprintf("net it %v 1", !denied); !slices.Contains(told(read(t, l).Records), want) {
				t.Errorf("not told: %s", want)
			}
			if !denied && (len(refused) != 1 || refused[0].What != "it") {
				t.Errorf("refused: %+v", refused)
			}
		})
	}
}

// total is how many things records tell of, beside start and end.
func total(records []Record) (n int) {
	for _, r := range records {
		if r.Kind != Start && r.Kind != End {
			n += r.times()
		}
	}
	return n
}

// TestRoomComesBack: a run that was cut off is told of again after a pause.
func TestRoomComesBack(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		r := l.Recorder(id)
		r.Begin(Record{})
		for i := range 8 * mostKinds {
			r.Add(Record{Kind: Run, What: fmt.Sprint(i) + strings.Repeat("x", 800)})
			if i%mostKinds == 0 {
				time.Sleep(window)
			}
		}
		time.Sleep(time.Hour)
		r.Add(Record{Kind: Run, What: "later"})
		r.End(Record{})
		res := read(t, l)
		if n := total(res.Records); n != 8*mostKinds+1 || !slices.Contains(told(res.Records), "run later false 1") {
			t.Errorf("%d things told; the last are %q", n, told(res.Records[len(res.Records)-3:]))
		}
	})
}

func TestHostileTextsAreOneLineAndBounded(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	r := l.Recorder(id)
	r.Begin(Record{})
	r.Add(Record{Kind: Net, What: "a\n{\"kind\":\"start\"}\x1b[31m\xff\u2028" + strings.Repeat("é", longestText), Grant: strings.Repeat("x", longestText+1)})
	r.End(Record{})
	res := read(t, l)
	if len(res.Records) != 3 || res.Torn > 0 {
		t.Fatalf("got %+v", res)
	}
	rec := res.Records[slices.IndexFunc(res.Records, func(r Record) bool { return r.Kind == Net })]
	if len(rec.What) > longestText+10 || !strings.HasPrefix(rec.What, "a\n{\"kind\":\"start\"}\x1b[31m") || !strings.HasSuffix(rec.What, "é...") || rec.Grant != "" {
		t.Errorf("got %q, grant %q", rec.What, rec.Grant)
	}
}

// TestSeveralProcessesWrite: none loses what another wrote, also when the file is exchanged meanwhile.
func TestSeveralProcessesWrite(t *testing.T) {
	t.Parallel()
	const processes, each = 4, 300
	line := int64(len(Record{Kind: Run, What: "123", Run: "1234567", Time: time.Now()}.line()))
	for name, most := range map[string]int64{"one exchange": processes * each * line * 2 / 3, "many": 20 * line} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &Log{t.TempDir(), most}
			var all sync.WaitGroup
			for range processes {
				all.Go(func() {
					cmd := exec.Command(os.Args[0])
					cmd.Env = append(os.Environ(), "ACTIVITY_WRITER="+l.dir, "ACTIVITY_RECORDS="+strconv.Itoa(each), "ACTIVITY_MOST="+strconv.FormatInt(most, 10))
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%v: %s", err, out)
					}
				})
			}
			all.Wait()
			res := read(t, l)
			if res.Torn > 0 {
				t.Errorf("%d lines are torn", res.Torn)
			}
			if name == "one exchange" && len(res.Records) != processes*each {
				t.Errorf("%d of %d records are there", len(res.Records), processes*each)
			}
			if n := len(res.Records); n == 0 || res.Records[n-1].What != strconv.Itoa(each-1) {
				t.Errorf("the newest record is not there")
			}
			for _, path := range []string{l.path(id), l.path(id) + older} {
				if info, err := os.Stat(path); err != nil || info.Size() > most+processes*line {
					t.Errorf("%s: %d bytes of %d, %v", path, info.Size(), most, err)
				}
			}
		})
	}
}

// TestWhatACrashHasTornIsSkipped, and takes no other record with it.
func TestWhatACrashHasTornIsSkipped(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	f := file{log: l, path: l.path(id)}
	tear := func(text string) {
		t.Helper()
		out, err := os.OpenFile(l.path(id), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString(text); errors.Join(err, out.Close()) != nil {
			t.Fatal(err)
		}
	}
	follow := l.Follow(id)
	next := func(torn bool, lines int, want ...string) {
		t.Helper()
		res, err := follow.Next()
		if err != nil {
			t.Fatal(err)
		}
		wants(t, res.Records, want...)
		if res.Torn != lines || follow.Torn() != torn {
			t.Errorf("torn: %d lines, the last %v", res.Torn, follow.Torn())
		}
	}
	add := func(what string) {
		t.Helper()
		if err := f.append(Record{Kind: Run, What: what}.line()); err != nil {
			t.Fatal(err)
		}
	}
	next(false, 0)
	add("a")
	tear(`{"kind":"run","what":"tor`)
	next(true, 0, "run a false 1")
	next(true, 0)
	add("b")
	next(false, 1, "run b false 1")
	tear("[]\n" + strings.Repeat("x", 3*longestLine) + "\n")
	add("c")
	next(false, 2, "run c false 1")
	tear(`{"kind":"run","what":"tor`)
	if err := os.Rename(l.path(id), l.path(id)+older); err != nil {
		t.Fatal(err)
	}
	add("d")
	next(false, 1, "run d false 1")
	if res := read(t, l); res.Torn != 4 || len(res.Records) != 4 {
		t.Errorf("read anew: %+v", res)
	}
}

// TestFollowingThroughAnExchange: nothing is missed and nothing is told twice.
func TestFollowingThroughAnExchange(t *testing.T) {
	t.Parallel()
	l := &Log{t.TempDir(), 1000}
	f, follow := file{log: l, path: l.path(id)}, l.Follow(id)
	var got []string
	for i := range 100 {
		if err := f.append(Record{Kind: Run, What: strconv.Itoa(i)}.line()); err != nil {
			t.Fatal(err)
		}
		if i%3 > 0 {
			continue
		}
		res, err := follow.Next()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.Records {
			got = append(got, r.What)
		}
	}
	for i, what := range got {
		if what != strconv.Itoa(i) {
			t.Fatalf("record %d is %s", i, what)
		}
	}
	if len(got) != 100 {
		t.Errorf("%d records of 100", len(got))
	}
}

// TestRemovedWhileAServerRuns: its last records do not bring the file back.
func TestRemovedWhileAServerRuns(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	r := l.Recorder(id)
	r.Begin(Record{})
	follow := l.Follow(id)
	for n := 0; n == 0; { // until the start is written
		res, err := follow.Next()
		if err != nil {
			t.Fatal(err)
		}
		n = len(res.Records)
	}
	if err := l.Remove(id); err != nil {
		t.Fatal(err)
	}
	r.Add(Record{Kind: Run, What: "x"})
	r.End(Record{})
	if ids, err := l.IDs(); len(ids) > 0 || err != nil {
		t.Errorf("records of %q, %v", ids, err)
	}
	if err := errors.Join(Open(filepath.Join(l.dir, "nothing")).Remove(id), l.Remove(id)); err != nil {
		t.Errorf("removed again: %v", err)
	}
}

// TestSomethingElseInItsPlace: neither a pipe nor a link is followed, and nobody waits.
func TestSomethingElseInItsPlace(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	secret := filepath.Join(t.TempDir(), "secret")
	err := errors.Join(os.WriteFile(secret, []byte(`{"kind":"run"}`+"\n"), 0o600), os.Mkdir(filepath.Dir(l.path(id)), 0o700), os.Symlink(secret, l.path(id)))
	if err != nil {
		t.Skip(err)
	}
	r := l.Recorder(id)
	r.Begin(Record{})
	r.End(Record{})
	text, err := os.ReadFile(secret)
	if err != nil || bytes.Count(text, []byte("\n")) != 1 {
		t.Errorf("the link was followed: %s, %v", text, err)
	}
	if res, err := l.Follow(id).Next(); err == nil || len(res.Records) > 0 {
		t.Errorf("the link was read: %+v, %v", res, err)
	}
}

// TestAFullDiskIsCounted: what could not be written is told of when it can be again.
func TestAFullDiskIsCounted(t *testing.T) {
	t.Parallel()
	l := Open(t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(l.dir, "local"), nil, 0o600); err != nil { // its folder cannot be made
			t.Fatal(err)
		}
		r := l.Recorder(id)
		r.Begin(Record{})
		r.Add(Record{Kind: Run, What: "x"})
		synctest.Wait()
		if err := os.Remove(filepath.Join(l.dir, "local")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(window)
		r.End(Record{})
		wants(t, read(t, l).Records, "lost  false 2", "end  false 1")
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"kind\":\"net\",\"time\":\"2026-01-01T00:00:00Z\"}\n\nx\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := Open(t.TempDir())
		if err := errors.Join(os.Mkdir(filepath.Dir(l.path(id)), 0o700), os.WriteFile(l.path(id), data, 0o600)); err != nil {
			t.Fatal(err)
		}
		res := read(t, l)
		for _, r := range res.Records {
			var again Record
			if line := r.line(); line == nil || json.Unmarshal(line, &again) != nil {
				t.Errorf("%+v cannot be written again", r)
			}
		}
		w := file{log: l, path: l.path(id)}
		if err := w.append(Record{Kind: Run, What: "new"}.line()); err != nil {
			t.Fatal(err)
		}
		if after := read(t, l); len(after.Records) != len(res.Records)+1 && len(after.Records) != len(res.Records)+2 {
			t.Errorf("%d records, then %d", len(res.Records), len(after.Records))
		}
	})
}
