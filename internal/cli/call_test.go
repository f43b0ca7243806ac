package cli

import (
	"context"
	"errors"
	"io"
	"testing"
)

// A call that waits for its arguments ends when it is interrupted.
func TestCallInterruptedAtItsInput(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	defer out.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (callOptions{id: "a", tool: "b", input: "-"}).run(ctx, &app{in: in}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
