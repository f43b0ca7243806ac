package notify

import "slices"

// A Kind is what a call does with a path.
type Kind string

// The kinds.
const (
	Run   Kind = "run"   // start a program
	Read  Kind = "read"  // open a file or list a folder
	Write Kind = "write" // open for writing, make, remove, rename, change
)

// A subject is one path of a call: where it stands among the arguments.
type subject struct {
	dir    int // argument with the folder that a relative path starts at; none: the working folder
	path   int // argument with the path
	kind   Kind
	create bool // it need not be there
	follow bool // a link at its end is followed
	entry  bool // its folder is what is changed
}

const none = -1

// A form is what a call's arguments mean.
type form struct {
	subjects []subject
	flags    int // argument with the flags of open, which decide on the first subject's kind; none: no flags
}

// Files are the calls that open or change a file by its path. Those that change an open file are not among them: it was
// seen when it was opened.
func Files() []string {
	var names []string
	for name := range forms() {
		if name != Exec {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Exec is the call that starts a program.
const Exec = "execve"

func forms() map[string]form {
	change := func(dir, path int, follow bool) form {
		return form{subjects: []subject{{dir: dir, path: path, kind: Write, follow: follow}}, flags: none}
	}
	make := func(dir, path int) form {
		return form{subjects: []subject{{dir: dir, path: path, kind: Write, create: true, entry: true}}, flags: none}
	}
	remove := func(dir, path int) form {
		return form{subjects: []subject{{dir: dir, path: path, kind: Write, entry: true}}, flags: none}
	}
	open := func(dir, path, flags int) form {
		return form{subjects: []subject{{dir: dir, path: path, kind: Read, follow: true}}, flags: flags}
	}
	move := func(dir, path, newDir, newPath int, from Kind) form {
		return form{subjects: []subject{
			{dir: dir, path: path, kind: from, entry: from == Write}, {dir: newDir, path: newPath, kind: Write, create: true, entry: true},
		}, flags: none}
	}
	return map[string]form{
		Exec:        {subjects: []subject{{dir: none, path: 0, kind: Run, follow: true}}, flags: none},
		"open":      open(none, 0, 1),
		"openat":    open(0, 1, 2),
		"creat":     {subjects: []subject{{dir: none, path: 0, kind: Write, create: true, follow: true}}, flags: none},
		"truncate":  change(none, 0, true),
		"mkdir":     make(none, 0),
		"mkdirat":   make(0, 1),
		"symlink":   make(none, 1),
		"symlinkat": make(1, 2),
		"unlink":    remove(none, 0),
		"unlinkat":  remove(0, 1),
		"rmdir":     remove(none, 0),
		"rename":    move(none, 0, none, 1, Write),
		"renameat":  move(0, 1, 2, 3, Write),
		"renameat2": move(0, 1, 2, 3, Write),
		"link":      move(none, 0, none, 1, Read),
		"linkat":    move(0, 1, 2, 3, Read),
		"chmod":     change(none, 0, true),
		"fchmodat":  change(0, 1, true),
		"fchmodat2": change(0, 1, true),
		"chown":     change(none, 0, true),
		"lchown":    change(none, 0, false),
		"fchownat":  change(0, 1, true),
	}
}
