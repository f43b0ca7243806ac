package sandbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"satchel/internal/spec"
)

// groupPrefix starts the names of our control groups: the number of the program that made one follows.
const groupPrefix = "satchel-"

func groupName() string { return fmt.Sprintf("%s%d-%s", groupPrefix, os.Getpid(), rand.Text()) }

// leftBehind tells whether a name is that of a group whose program is gone.
func leftBehind(name string) bool {
	pid, _, ok := strings.Cut(strings.TrimPrefix(name, groupPrefix), "-")
	n, err := strconv.Atoi(pid)
	return strings.HasPrefix(name, groupPrefix) && ok && err == nil && errors.Is(unix.Kill(n, 0), unix.ESRCH)
}

// A group is a control group of one server, where the machine lets us make one: it bounds what resource limits do not,
// the memory of all processes together and, for root, their number. The zero value has none.
type group struct {
	dirs []string
}

// newGroup makes a group for the limits. A machine that does not let us make one gives an empty group: the report of the
// probe says what is enforced without.
func newGroup(m Mode, l spec.Limits) group {
	want := map[string]string{"pids.max": strconv.Itoa(or(l.Processes, defaultProcesses))}
	if l.Memory > 0 {
		want["memory.max"] = strconv.FormatInt(l.Memory, 10)            // version 2
		want["memory.limit_in_bytes"] = strconv.FormatInt(l.Memory, 10) // version 1
	}
	var g group
	if l.Memory == 0 && os.Getuid() != 0 && m.world() {
		return g // in a world, the resource limit bounds the number of an ordinary user's processes
	}
	for _, parent := range groupParents() {
		dir := path.Join(parent, groupName())
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		set := 0
		for name, value := range want {
			if os.WriteFile(path.Join(dir, name), []byte(value), 0) == nil {
				set++
			}
		}
		if set == 0 {
			_ = os.Remove(dir) // it bounds nothing
			continue
		}
		g.dirs = append(g.dirs, dir)
	}
	return g
}

// add puts a process, and with it what it will start, into the group.
func (g group) add(pid int) error {
	var errs []error
	for _, dir := range g.dirs {
		errs = append(errs, os.WriteFile(path.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0))
	}
	return errors.Join(errs...)
}

// remove removes the group, which must have no process left. The kernel may count one for a moment after it has ended.
func (g group) remove() {
	for _, dir := range g.dirs {
		for wait := time.Millisecond; errors.Is(unix.Rmdir(dir), unix.EBUSY) && wait < time.Second; wait *= 2 {
			time.Sleep(wait) // what stays in the end is empty, and swept
		}
	}
}

// sweepAfter is how old a group is at least when it is swept: a program in a container has another number there, and a
// young group may be waiting for its first process.
const sweepAfter = time.Minute

// sweepGroups removes the groups of programs that were killed before they could.
func sweepGroups() {
	for _, parent := range groupParents() {
		entries, err := os.ReadDir(parent)
		if err != nil {
			continue
		}
		for _, e := range entries {
			info, err := e.Info()
			if err == nil && leftBehind(e.Name()) && time.Since(info.ModTime()) > sweepAfter {
				_ = unix.Rmdir(path.Join(parent, e.Name())) // one with processes refuses
			}
		}
	}
}

// groupParents gives the folders where a group for this program's children may be made: version 1 has one for each
// controller, below our own group; in version 2 it is beside ours, since a group with processes may have no children
// with limits (cgroups(7), "no internal processes").
func groupParents() (parents []string) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts := groupMounts()
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, own, ok := strings.Cut(rest, ":")
		if !ok || !path.IsAbs(own) {
			continue
		}
		if controllers == "" {
			if at, ok := mounts[""]; ok {
				parents = append(parents, path.Join(at, path.Dir(own)))
			}
			continue
		}
		for _, c := range strings.Split(controllers, ",") {
			if at, ok := mounts[c]; ok && (c == "pids" || c == "memory") {
				parents = append(parents, path.Join(at, own))
			}
		}
	}
	return parents
}

// groupMounts gives where the controllers of version 1 are mounted, and version 2 under the empty name.
func groupMounts() map[string]string {
	mounts := map[string]string{}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return mounts
	}
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(place) < 5 || len(kind) < 3 {
			continue
		}
		switch kind[0] {
		case "cgroup2":
			mounts[""] = place[4]
		case "cgroup":
			for _, option := range strings.Split(kind[2], ",") {
				mounts[option] = place[4]
			}
		}
	}
	return mounts
}
