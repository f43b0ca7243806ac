package devloop

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// pollEvery is how often a folder is walked where the system does not tell of changes.
const pollEvery = time.Second

// A watch tells of changes below a folder. It follows no links.
type watch struct {
	dir     string
	ignored func(name string) bool // of a file or folder, slash-separated, relative
	tell    func(name string)      // of a change; "." when it is not known of what
	note    func(text string)
	notify  func() (notifier, error)
}

// A notifier is the part of [fsnotify.Watcher] that is used.
type notifier interface {
	Add(dir string) error
	Close() error
}

func systemNotifier() (notifier, error) { return fsnotify.NewWatcher() }

// errGone says that the watched folder itself was removed or renamed.
var errGone = errors.New("the folder is gone")

// run watches until ctx ends. started is called when no later change is missed. When the system runs out of watches,
// the folder is walked every second instead. A folder that goes away is waited for.
func (w *watch) run(ctx context.Context, started func()) error {
	first := started
	for {
		err := w.notified(ctx, started)
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case outOfWatches(err):
			w.note("this system has no watches left, so the folder is looked through every second instead (Linux: raise fs.inotify.max_user_watches): " + err.Error())
			return w.poll(ctx, started)
		case !errors.Is(err, errGone) && !errors.Is(err, fs.ErrNotExist):
			return err
		}
		w.note("the folder is gone: once it is back, it is watched again")
		w.tell(".") // the next start says what is missing
		if !w.comesBack(ctx) {
			return nil
		}
		started = func() { first(); w.tell(".") }
	}
}

// comesBack waits for the folder; false when ctx ended.
func (w *watch) comesBack(ctx context.Context) bool {
	for {
		if info, err := os.Stat(w.dir); err == nil && info.IsDir() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pollEvery):
		}
	}
}

// notified watches as the system tells of changes.
func (w *watch) notified(ctx context.Context, started func()) error {
	n, err := w.notify()
	if err != nil {
		return err
	}
	err = w.addTree(n, w.dir, func(string) {})
	if err == nil {
		if real, ok := n.(*fsnotify.Watcher); ok {
			started()
			err = w.follow(ctx, real)
		}
	}
	return errors.Join(err, n.Close())
}

func outOfWatches(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// addTree watches a folder and all below it, and gives the files that are there. What vanishes meanwhile is no error.
func (w *watch) addTree(n notifier, dir string, file func(name string)) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := w.name(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != w.dir:
			return nil
		case err != nil:
			return err
		case name != "." && w.ignored(name):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case !d.IsDir():
			file(name)
			return nil
		}
		if err := n.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func (w *watch) name(path string) string {
	rel, err := filepath.Rel(w.dir, path)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

func (w *watch) follow(ctx context.Context, n *fsnotify.Watcher) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-n.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			w.tell(".")
			if err := w.addTree(n, w.dir, func(string) {}); err != nil { // folders that were made meanwhile
				return err
			}
		case e := <-n.Events:
			name := w.name(e.Name)
			if name == "." && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) {
				return errGone
			}
			if name == "." || e.Op == fsnotify.Chmod || w.ignored(name) {
				continue
			}
			w.tell(name)
			if e.Has(fsnotify.Create) {
				if err := w.addTree(n, e.Name, w.tell); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
	}
}

// A stamp is what changes when a file does.
type stamp struct {
	changed time.Time
	size    int64
	mode    fs.FileMode
}

func (w *watch) poll(ctx context.Context, started func()) error {
	seen := w.look()
	started()
	w.tell(".") // what was missed until now
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pollEvery):
		}
		now := w.look()
		for name, s := range now {
			if seen[name] != s {
				w.tell(name)
			}
		}
		for name := range seen {
			if _, there := now[name]; !there {
				w.tell(name)
			}
		}
		seen = now
	}
}

func (w *watch) look() map[string]stamp {
	found := map[string]stamp{}
	_ = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error { // what cannot be read shows nothing
		if err != nil {
			return nil
		}
		name := w.name(path)
		if name != "." && w.ignored(name) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			found[name] = stamp{info.ModTime(), info.Size(), info.Mode()}
		}
		return nil
	})
	return found
}

// short gives the name under which a change is told: of what is in node_modules only that, as npm changes thousands.
func short(name string) string {
	if strings.HasPrefix(name, "node_modules/") || strings.Contains(name, "/node_modules/") {
		before, _, _ := strings.Cut(name, "node_modules/")
		return before + "node_modules"
	}
	return name
}
