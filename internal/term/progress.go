package term

import (
	"fmt"
	"sync"
	"time"
)

// Bytes gives a number of bytes as people read it, in decimal units: "1.2 MB".
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), ""
	for _, unit = range []string{"kB", "MB", "GB", "TB", "PB", "EB"} {
		if v /= 1000; v < 999.5 {
			break
		}
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.0f %s", v, unit)
}

// A Progress is a line on a terminal that says how far a long step is. It shows only what takes longer than half a
// second, and nothing in a pipe. Its methods are safe for concurrent use.
type Progress struct {
	mu    sync.Mutex
	out   *Out
	label string
	start time.Time
	last  time.Time
	shown bool
}

// Progress begins a progress line.
func (o *Out) Progress(label string) *Progress {
	return &Progress{out: o, label: label, start: time.Now()}
}

// Set says that done of total bytes are through; a total of 0 is unknown.
func (p *Progress) Set(done, total int64) {
	if !p.out.TTY {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.start) < 500*time.Millisecond || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	if total > 0 {
		p.out.Printf("\r\x1b[K%s %3d %% of %s", p.label, done*100/total, Bytes(total))
	} else {
		p.out.Printf("\r\x1b[K%s %s", p.label, Bytes(done))
	}
}

// Done takes the line away again.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.out.Printf("\r\x1b[K")
		p.shown = false
	}
}
