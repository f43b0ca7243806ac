package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// inAnother tries a line in a process of its own: what kills it is an answer too.
func (p *probe) inAnother(name string) error {
	setup, err := json.Marshal(p.Setup)
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{Name, name}, Env: os.Environ(), Stdin: strings.NewReader(string(setup) + "\n")}
	var said strings.Builder
	cmd.Stderr = &said
	err = cmd.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if status := e.Sys().(syscall.WaitStatus); status.Signaled() {
			return fmt.Errorf("killed by %s", status.Signal())
		}
		first, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return errors.New(strings.TrimPrefix(first, Name+": "))
	}
	return err
}
