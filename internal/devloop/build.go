package devloop

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"satchel/internal/procgroup"
)

const maxLogLine = 8 << 10 // bytes of a line that is shown

// RunCommand runs a command in a folder, with the author's whole environment, and gives its output line by line. Its
// process tree ends with it and with ctx.
func RunCommand(ctx context.Context, dir string, argv []string, line func(string)) error {
	program, err := findProgram(dir, argv[0])
	if err != nil {
		return err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	proc, err := procgroup.Start(procgroup.Cmd{Path: program, Args: argv, Env: os.Environ(), Dir: dir, Stdout: in, Stderr: in})
	in.Close()
	if err != nil {
		out.Close()
		return err
	}
	var read sync.WaitGroup
	read.Go(func() { Lines(out, line) })
	select {
	case <-proc.Done():
	case <-ctx.Done():
		proc.Kill()
	}
	code, err := proc.Wait()
	read.Wait()
	out.Close()
	if err == nil && code != 0 {
		err = fmt.Errorf("it ended with exit code %d", code)
	}
	return err
}

// findProgram looks for a program as a shell in the folder would.
func findProgram(dir, name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil && path == name || !hasSlash(name) {
		return path, err
	}
	return exec.LookPath(dir + string(os.PathSeparator) + name)
}

func hasSlash(name string) bool {
	for _, c := range name {
		if c == '/' || c == os.PathSeparator {
			return true
		}
	}
	return false
}

// Lines gives a stream line by line until it ends. The rest of a long line is left out.
func Lines(r io.Reader, line func(string)) {
	b := bufio.NewReaderSize(r, maxLogLine)
	for {
		text, more, err := b.ReadLine()
		if err != nil {
			return
		}
		line(string(text))
		for more && err == nil {
			_, more, err = b.ReadLine()
		}
	}
}
