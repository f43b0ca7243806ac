package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A line is one figure beside its limit.
type line struct {
	work, what   string
	ours, theirs string
	value, limit float64 // value may be at most limit
	unit         string
}

func (l line) holds() bool { return l.value <= l.limit }

// judge puts every figure beside what part 1 demands of it.
func judge(results []result, s sizes) []line {
	limits := map[string]float64{"version": 1.0 / 10, "validate": 1.0 / 10, "pack": 1.0 / 4, "unpack": 1.0 / 4}
	var lines []line
	for _, r := range results {
		limit := limits[r.name]
		for _, m := range []struct {
			what string
			get  func(usage) float64
		}{{"wall time", wallOf}, {"cpu time", cpuOf}} {
			lines = append(lines, line{r.name, m.what, seconds(median(r.ours, m.get)), seconds(median(r.theirs, m.get)), r.ratio(m.get), limit, ""})
		}
		if r.name == "pack" || r.name == "unpack" {
			ours, theirs := largest(r.ours), largest(r.theirs)
			lines = append(lines, line{r.name, "peak memory", mib(ours), mib(theirs), ours / (1 << 20), 64, " MiB"})
		}
		if r.name == "pack" {
			lines = append(lines, line{r.name, "bundle size", mib(float64(s.ours)), mib(float64(s.theirs)), float64(s.ours) / float64(s.theirs), 1.03, ""})
		}
	}
	return lines
}

func largest(runs []usage) float64 {
	most := 0.0
	for _, u := range runs {
		most = max(most, rssOf(u))
	}
	return most
}

func seconds(s float64) string { return fmt.Sprintf("%.3f s", s) }
func mib(n float64) string     { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }

// render writes the table in Markdown.
func render(lines []line, s sizes, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s by `make bench`: %s/%s, %d processors, %s, Node %s; %d rounds in turns.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), nodeVersion(), rounds)
	fmt.Fprintf(&b, "The tree has %d files and %s.\n\n", s.files, mib(float64(s.bytes)))
	table(&b, "reference", lines)
	return b.String()
}

func table(b *strings.Builder, theirs string, lines []line) {
	fmt.Fprintf(b, "| command | figure | satchel | %s | measured | must hold | holds |\n|---|---|---|---|---|---|---|\n", theirs)
	for _, l := range lines {
		holds := "yes"
		if !l.holds() {
			holds = "**no**"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.3g%s | at most %.3g%s | %s |\n", l.work, l.what, l.ours, l.theirs, l.value, l.unit, l.limit, l.unit, holds)
	}
}

func nodeVersion() string {
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
}

const begin, end = "<!-- refcli: written by make bench -->\n", "<!-- end of refcli -->\n"
