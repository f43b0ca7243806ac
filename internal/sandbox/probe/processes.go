package probe

import (
	"errors"
	"os/exec"
)

const processesGroup = "processes"

func processLines() []line {
	const group = processesGroup
	return []line{
		{group: group, name: "signal a sibling", attack: func(p *probe) error { return bare(signals(p.Victim)) }},
		{group: group, name: "signal the host", attack: func(p *probe) error { return bare(signals(p.Parent)) }},
		{group: group, name: "read the environment of a sibling", attack: func(p *probe) error {
			text, err := environment(p.Victim)
			if err != nil {
				return bare(err)
			}
			return p.holds(text)
		}},
		{group: group, name: "read the environment of the host", attack: func(p *probe) error {
			text, err := environment(p.Parent)
			if err == nil && len(text) == 0 {
				return errors.New("it is empty")
			}
			return bare(err)
		}},
		{group: group, name: "run a program that was not granted", attack: func(p *probe) error { return runs(p.Program) }},
	}
}

// runs runs a program that ends when it has nothing to read. How it ends is of no matter: it ran.
func runs(program string) error {
	err := exec.Command(program).Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return bare(err)
}
