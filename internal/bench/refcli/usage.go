package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A usage is what one run of a command took.
type usage struct {
	wall, cpu time.Duration // cpu: user and system, of all threads
	rss       int64         // peak resident memory in bytes; 0 where the system does not tell
}

// measure runs a command, which must succeed, with what it prints thrown away. A child's peak memory counts from that of
// this process, which is small: see getrusage(2) on ru_maxrss.
func measure(ctx context.Context, argv []string) (usage, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return usage{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak(cmd.ProcessState)}, nil
}

// median gives the middle of what get makes of each run.
func median[T any](runs []T, get func(T) float64) float64 {
	values := make([]float64, 0, len(runs))
	for _, u := range runs {
		values = append(values, get(u))
	}
	slices.Sort(values)
	if n := len(values); n%2 == 0 {
		return (values[n/2-1] + values[n/2]) / 2
	}
	return values[len(values)/2]
}

// ratio is the median over the rounds of ours by theirs.
func (r result) ratio(get func(usage) float64) float64 {
	pairs := make([][2]usage, len(r.ours))
	for i := range pairs {
		pairs[i] = [2]usage{r.ours[i], r.theirs[i]}
	}
	return median(pairs, func(p [2]usage) float64 { return get(p[0]) / get(p[1]) })
}

func wallOf(u usage) float64 { return u.wall.Seconds() }
func cpuOf(u usage) float64  { return u.cpu.Seconds() }
func rssOf(u usage) float64  { return float64(u.rss) }
