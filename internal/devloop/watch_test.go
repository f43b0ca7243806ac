package devloop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestManyChangesAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		in, out := make(chan string), make(chan []string)
		go coalesce(ctx, in, out)
		begin := time.Now()
		in <- "b"
		in <- "a"
		in <- "b"
		if got := <-out; !slices.Equal(got, []string{"a", "b"}) || time.Since(begin) != quiet {
			t.Errorf("%q after %v", got, time.Since(begin))
		}

		// While changes keep coming they are held back, but not for ever.
		begin = time.Now()
		go func() {
			for range 100 {
				in <- "c"
				time.Sleep(quiet / 2)
			}
		}()
		if got := <-out; len(got) != 1 || time.Since(begin) > longest+quiet || time.Since(begin) < longest-quiet {
			t.Errorf("%q after %v", got, time.Since(begin))
		}

		// Nobody waits: they gather, and are told as one.
		time.Sleep(time.Minute)
		in <- "d"
		time.Sleep(time.Minute)
		if got := <-out; !slices.Equal(got, []string{"c", "d"}) {
			t.Errorf("%q", got)
		}
		select {
		case got := <-out:
			t.Errorf("without a change: %q", got)
		case <-time.After(time.Hour):
		}
		cancel()
	})
}

// A watched is a folder that is watched.
type watched struct {
	dir   string
	names chan string
	notes chan string
}

func watchFolder(t *testing.T, notify func() (notifier, error)) watched {
	t.Helper()
	w := watched{t.TempDir(), make(chan string, 1000), make(chan string, 10)}
	w.write(t, "server/index.js", "1")
	w.write(t, "node_modules/a/index.js", "1")
	w.write(t, "out/of/sight.js", "1")
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan struct{}, 2), make(chan error, 1)
	run := &watch{
		dir: w.dir, notify: notify, ignored: func(name string) bool { return name == "out" || strings.HasSuffix(name, ".log") },
		tell: func(name string) { w.names <- short(name) }, note: func(text string) { w.notes <- text },
	}
	go func() { ended <- run.run(ctx, func() { started <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-started
	return w
}

func (w watched) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// wait waits until a name is told; what else is told does not matter, but for what must not be.
func (w watched) wait(t *testing.T, name string) {
	t.Helper()
	patience := time.After(30 * time.Second)
	for {
		select {
		case got := <-w.names:
			if strings.HasPrefix(got, "out/") || strings.HasSuffix(got, ".log") {
				t.Errorf("%s was told", got)
			}
			if got == name {
				return
			}
		case <-patience:
			t.Fatalf("%s was not told", name)
		}
	}
}

func (w watched) change(t *testing.T) {
	w.write(t, "out/of/sight.js", "2")
	w.write(t, "debug.log", "2")
	w.write(t, "server/index.js", "22")
	w.wait(t, "server/index.js")
	w.write(t, "new/folder/deep.js", "1") // its folders are made and filled at once
	w.wait(t, "new/folder/deep.js")
	w.write(t, "new/folder/deep.js", "222")
	w.wait(t, "new/folder/deep.js")
	w.write(t, ".index.js.tmp", "3333") // as editors save
	if err := os.Rename(filepath.Join(w.dir, ".index.js.tmp"), filepath.Join(w.dir, "server", "index.js")); err != nil {
		t.Fatal(err)
	}
	w.wait(t, "server/index.js")
	if err := os.Remove(filepath.Join(w.dir, "server", "index.js")); err != nil {
		t.Fatal(err)
	}
	w.wait(t, "server/index.js")
	w.write(t, "node_modules/b/c/d.js", "1")
	w.wait(t, "node_modules")
}

// A folder that is moved away, or removed and made anew, is watched again when it is back: it is another one then.
func TestWatchAFolderThatComesBack(t *testing.T) {
	t.Parallel()
	w := watchFolder(t, systemNotifier)
	for _, remove := range []func() error{
		func() error { return os.Rename(w.dir, w.dir+".moved") }, func() error { return os.RemoveAll(w.dir) },
	} {
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		w.wait(t, ".")
		w.write(t, "server/index.js", "back")
		w.wait(t, ".")
		w.write(t, "server/index.js", "changed")
		w.wait(t, "server/index.js")
	}
	if len(w.notes) != 2 {
		t.Errorf("%d notes", len(w.notes))
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	w := watchFolder(t, systemNotifier)
	w.change(t)
	if len(w.notes) > 0 {
		t.Error(<-w.notes)
	}
}

// A fullNotifier is a system that has no watches left.
type fullNotifier struct{}

func (fullNotifier) Add(dir string) error {
	return &os.PathError{Op: "inotify_add_watch", Path: dir, Err: syscall.ENOSPC}
}
func (fullNotifier) Close() error { return nil }

func TestWithoutWatchesTheFolderIsLookedThrough(t *testing.T) {
	t.Parallel()
	for name, notify := range map[string]func() (notifier, error){
		"no watch":    func() (notifier, error) { return fullNotifier{}, nil },
		"no notifier": func() (notifier, error) { return nil, syscall.EMFILE },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watchFolder(t, notify)
			w.change(t)
			if got := <-w.notes; !strings.Contains(got, "no watches left") {
				t.Errorf("note %q", got)
			}
		})
	}
}
