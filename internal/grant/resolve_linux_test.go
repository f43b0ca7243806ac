package grant

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A second mount of the home has the same secrets under names that no list has.
func TestASecondMount(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root can mount in a test of many threads")
	}
	m := home(t, "ada/.ssh/id", "ada/.config/gh/hosts.yml", "ada/notes/a", "mnt/")
	done := make(chan error)
	var errs = map[string]error{}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its own mounts
		err := errors.Join(unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS), unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount(m.User.Home, filepath.Join(m.Dir, "mnt"), "", unix.MS_BIND, ""))
		if err == nil {
			for _, word := range []string{"read:mnt", "write:mnt", "read:mnt/.ssh", "read:mnt/.config", "read:mnt/.config/gh/hosts.yml", "read:mnt/notes"} {
				_, errs[word] = Resolve(words(t, m, word), m)
			}
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Skip("skipped: this machine refuses mounts of its own: ", err)
	}
	for word, err := range errs {
		if word == "read:mnt/notes" {
			if err != nil {
				t.Errorf("%s: %v", word, err)
			}
			continue
		}
		wantProblem(t, word, err, "grant/protected", "under another name")
	}
}
