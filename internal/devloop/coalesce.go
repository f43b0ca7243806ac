package devloop

import (
	"context"
	"maps"
	"slices"
	"time"
)

// The pauses that make one change of many: an editor saves in several steps, a build writes many files.
const (
	quiet    = 120 * time.Millisecond // without a change, before it is told
	longest  = 2 * time.Second        // that changes are held back while more come
	maxNames = 1000                   // that one change names
)

// coalesce gathers names until none has come for a while, and then gives them sorted, when they are wanted. It ends with
// ctx.
func coalesce(ctx context.Context, in <-chan string, out chan<- []string) {
	pending := map[string]bool{}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var first time.Time
	due := false
	for {
		var to chan<- []string
		if due {
			to = out
		}
		select {
		case <-ctx.Done():
			return
		case name := <-in:
			if len(pending) == 0 {
				first = time.Now()
			}
			if len(pending) < maxNames {
				pending[name] = true
			}
			if wait := min(quiet, longest-time.Since(first)); wait > 0 {
				due = false
				timer.Reset(wait)
			} else {
				due = true
			}
		case <-timer.C:
			due = len(pending) > 0
		case to <- slices.Sorted(maps.Keys(pending)):
			pending, due = map[string]bool{}, false
		}
	}
}
