// Command deps installs what the tests need and this machine lacks; `make deps` runs it.
//
// It looks first and prints what it does. Programs come from Debian's packages, the programs of others that the tests
// run against come from npm, by lock file. A machine that has everything is left as it is, and nothing is asked of the
// network. With NO_DEPS=1 in the environment nothing is installed: the lack is listed, with the commands that mend it,
// and the tests concerned say why they are skipped.
//
// Use it from the root of the source. The flag -bench adds the tree that `make bench` packs.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	bench := flag.Bool("bench", false, "also install the tree of files that make bench packs")
	flag.Parse()
	if err := run(os.Stdout, ".", *bench, os.Getenv("NO_DEPS") != ""); err != nil {
		fmt.Fprintf(os.Stderr, "deps: %v\nTo test without what is missing: NO_DEPS=1 make test\n", err)
		os.Exit(1)
	}
}

// run brings the machine to what the tests of the source at root need; with listOnly it only says what is missing.
func run(out io.Writer, root string, bench, listOnly bool) error {
	missing, err := look(root, bench, onPath)
	if err != nil {
		return fmt.Errorf("run it from the root of the source: %w", err)
	}
	how := installer(onPath, os.Geteuid(), passwordlessSudo)
	switch {
	case missing.none():
		fmt.Fprintln(out, "deps: everything that the tests need is here")
		return nil
	case listOnly:
		fmt.Fprintf(out, "deps: NO_DEPS is set, so nothing is installed. Missing:\n%s", missing.describe(how))
		return nil
	}
	return install(out, missing, how)
}

// install installs what is missing. Programs that cannot be installed do not keep the npm folders from coming.
func install(out io.Writer, missing lack, how []string) error {
	if len(missing.programs) > 0 && len(how) > 0 {
		if err := aptInstall(out, how, missing.packages()); err != nil {
			return err
		}
		missing.programs = nil
	}
	if onPath("npm") {
		for _, f := range missing.folders {
			if err := npmInstall(out, f); err != nil {
				return err
			}
		}
		missing.folders = nil
	}
	if missing.none() {
		return nil
	}
	return fmt.Errorf("these are missing and cannot be installed from here:\n%s", missing.describe(how))
}

func aptInstall(out io.Writer, how, packages []string) error {
	// The package lists of a new machine are empty or old, and an old list names files that are gone.
	if err := execute(out, ".", append(how[:len(how):len(how)], "update", "-qq")...); err != nil {
		return err
	}
	return execute(out, ".", aptLine(how, packages)...)
}

func npmInstall(out io.Writer, f npmFolder) error {
	if err := execute(out, f.dir, npmLine()...); err != nil {
		return err
	}
	return f.stamp()
}

// execute runs a command in dir, after printing it, with its output passed on.
func execute(out io.Writer, dir string, argv ...string) error {
	fmt.Fprintf(out, "deps: (in %s) %s\n", dir, strings.Join(argv, " "))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, os.Stderr
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(argv, " "), err)
	}
	return nil
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func passwordlessSudo() bool { return exec.Command("sudo", "-n", "true").Run() == nil }
