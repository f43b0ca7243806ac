package mcpb

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls do with every i below n, on so many goroutines (0: one per processor). After the first error, or when
// ctx ends, no further call begins; that error is returned when all calls have.
func inParallel(ctx context.Context, n, workers int, do func(ctx context.Context, i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(workers, n) {
		group.Go(func() {
			for inner.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(inner, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	return context.Cause(inner)
}
