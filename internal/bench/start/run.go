package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"satchel/internal/bench/page"
	"satchel/internal/sandbox"
)

// Figures are those of one server, in milliseconds, microseconds and bytes.
type figures struct {
	server server
	starts map[way][]float64
	calls  map[way][]float64
	first  []float64
}

// A line is one figure beside its limit; a limit of zero only shows.
type line struct {
	what, bare, boxed string
	value, limit      float64
	unit              string
}

func (l line) holds() bool { return l.limit == 0 || l.value <= l.limit }

func run(ctx context.Context, rounds, calls int, to string) error {
	list, err := servers()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "satchel-bench-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{sandbox.NewLauncher(), dir}
	var lines []line
	for _, s := range list {
		fmt.Fprintf(os.Stderr, "%s: %d starts in each way ...\n", s.name, rounds)
		f, err := b.measure(ctx, s, rounds, calls)
		if err != nil {
			return err
		}
		lines = append(lines, f.lines()...)
	}
	text := render(lines, rounds, calls)
	fmt.Print(text)
	if err := page.Write(to, begin, end, text); err != nil {
		return err
	}
	if slices.ContainsFunc(lines, func(l line) bool { return !l.holds() }) {
		return errors.New("a line that must hold does not; see the table")
	}
	return nil
}

// measure starts a server in each way in turns, so that a slow moment of the machine meets all of them.
func (b *bench) measure(ctx context.Context, s server, rounds, calls int) (*figures, error) {
	f := &figures{server: s, starts: map[way][]float64{}, calls: map[way][]float64{}}
	for round := range rounds + 1 {
		for _, w := range []way{bare, offline, withNet} {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := b.round(ctx, f, w, round, calls/rounds); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// round starts a server, talks with it and ends it.
func (b *bench) round(ctx context.Context, f *figures, w way, round, calls int) error {
	r, err := b.start(ctx, f.server, w)
	if err != nil {
		return err
	}
	if round > 0 { // the first one fills caches
		err = f.take(r, w, calls)
	}
	return errors.Join(err, r.stop())
}

func (f *figures) take(r *running, w way, calls int) error {
	f.starts[w] = append(f.starts[w], r.took.Seconds()*1e3)
	for range calls {
		took, err := r.call()
		if err != nil {
			return err
		}
		f.calls[w] = append(f.calls[w], took.Seconds()*1e6)
	}
	if r.first == 0 {
		return nil
	}
	bytes, err := share(r.first)
	f.first = append(f.first, bytes)
	return err
}

// lines put the figures beside what part 3 demands of them.
func (f *figures) lines() []line {
	ms := func(v float64) string { return fmt.Sprintf("%.1f ms", v) }
	us := func(v float64) string { return fmt.Sprintf("%.0f us", v) }
	start := func(w way, limit float64) line {
		return line{f.server.name + ": start to first reply, " + string(w), ms(median(f.starts[bare])), ms(median(f.starts[w])), f.more(w), limit, " ms more"}
	}
	calls := line{f.server.name + ": one message there and back", us(median(f.calls[bare])), us(median(f.calls[withNet])), median(f.calls[withNet]) / median(f.calls[bare]), 1.1, " of bare"}
	share := line{f.server.name + ": the same, as a part of a bare start", "", "", f.more(withNet) / median(f.starts[bare]), 0, ""}
	return []line{
		start(offline, 0), start(withNet, 12), share, calls,
		{f.server.name + ": memory of the sandbox's first process (PSS)", "", fmt.Sprintf("%.1f MiB", median(f.first)/(1<<20)), slices.Max(f.first) / (1 << 20), 4, " MiB"},
	}
}

// more is the median over the rounds of what a way took longer than bare in the same round.
func (f *figures) more(w way) float64 {
	var all []float64
	for n, v := range f.starts[w] {
		all = append(all, v-f.starts[bare][n])
	}
	return median(all)
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

func render(lines []line, rounds, calls int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s by `make bench`: %s/%s, %d processors, %s; %d starts in turns, %d messages; user id %d.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), rounds, calls, os.Getuid())
	b.WriteString("| figure | bare | sandboxed | measured | must hold | holds |\n|---|---|---|---|---|---|\n")
	for _, l := range lines {
		must, holds := "", ""
		if l.limit > 0 {
			must, holds = fmt.Sprintf("at most %.3g%s", l.limit, l.unit), "yes"
			if !l.holds() {
				holds = "**no**"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.3g%s | %s | %s |\n", l.what, l.bare, l.boxed, l.value, l.unit, must, holds)
	}
	return b.String()
}

const begin, end = "<!-- start: written by make bench -->\n", "<!-- end of start -->\n"
