package egress

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"satchel/internal/problem"
)

// dialSocket connects to what is at path and to nothing that a link there leads to: a server that may write to the folder
// could put one in the socket's place.
func dialSocket(ctx context.Context, path string) (conn net.Conn, refused *problem.Problem, err error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS})
	if errors.Is(err, unix.ELOOP) {
		return nil, moved(path), nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer unix.Close(fd)
	var d net.Dialer
	conn, err = d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", fd))
	if e, ok := errors.AsType[unix.Errno](err); ok {
		err = e // without the descriptor's number, which says nothing
	}
	return conn, nil, err
}

func moved(path string) *problem.Problem {
	return problem.New(problem.Refused, "egress/moved", "a link has taken the place of the socket, or of a folder on the way to it").At(path).From(page)
}
