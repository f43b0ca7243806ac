package mcpb

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// Check reads the content of every file, in parallel, and holds it to what is declared: size, checksum, where the packed
// bytes end. Open does not read content, and Extract checks it on the way: Check is for looking without unpacking.
// Nothing is written. The error is a *[Problem], or that of ctx.
func (b *Bundle) Check(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workersOr(0))
	for i := range b.entries {
		if e := &b.entries[i]; !e.dir {
			group.Go(func() error {
				c := b.open(e, b.r)
				return errors.Join(c.copyTo(untilDone{ctx}, nil), c.Close())
			})
		}
	}
	return group.Wait()
}

// An untilDone drops what is written to it while its context lasts.
type untilDone struct{ ctx context.Context }

// Write implements io.Writer.
func (w untilDone) Write(p []byte) (int, error) { return len(p), w.ctx.Err() }
