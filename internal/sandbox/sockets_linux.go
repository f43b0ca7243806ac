package sandbox

import (
	"os"
	"path"

	"satchel/internal/sandbox/inside"
)

// sockets shows doors at the paths of granted sockets. One whose folder is shown anyway, and that is not there, has no
// place for a door.
func (p *planner) sockets(list []socket) error {
	for _, s := range list {
		if isBelow(s.path, "/proc") || isBelow(s.path, "/sys") || isBelow(s.path, "/dev") || !path.IsAbs(s.path) || path.Clean(s.path) != s.path {
			return notGrantable(s.path)
		}
		if _, err := os.Lstat(s.path); err != nil && p.shown(s.path) {
			continue
		}
		p.add(inside.Step{Kind: inside.StepBind, Path: s.path, From: s.file})
		if to, err := os.Readlink("/var/run"); err == nil && isBelow(s.path, "/run") && !p.shown("/var/run") {
			p.add(inside.Step{Kind: inside.StepLink, Path: "/var/run", From: to})
		}
	}
	return nil
}
