//go:build !linux

package egress

import (
	"context"
	"errors"
	"net"

	"satchel/internal/problem"
)

// dialSocket is refused on this system, whose sandbox has no door for sockets.
func dialSocket(context.Context, string) (net.Conn, *problem.Problem, error) {
	return nil, nil, errors.New("this system's sandbox has no door for sockets")
}
