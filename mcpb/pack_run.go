package mcpb

import (
	"context"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"satchel/internal/problem"
	"satchel/mcpb/internal/zipwrite"
)

// A packing is one run of Pack. A planner of tasks hands them to the workers, which read and compress them, and to the
// writer, which puts the results into the archive in order. Every task under way holds one of a fixed number of trays,
// so the writer falling behind stops the workers, and memory does not grow.
type packing struct {
	root *os.Root
	plan *PackPlan
	opts PackOptions
	zip  *zipwrite.Writer
	done int64
	crc  uint32 // of the large file under way, so far
}

const (
	chunkSize      = 512 << 10 // bytes of files that are read and compressed as one task
	batchFiles     = 64        // files of one task at most
	maxWorkers     = 6         // unless the caller asks for more: each costs some 5 MiB, and all should stay below 64
	traysPerWorker = 2         // tasks under way for each worker
)

// run returns when every worker has ended, whatever the outcome.
func (p *packing) run(ctx context.Context) error {
	workers := p.opts.Workers
	if workers <= 0 {
		workers = min(runtime.GOMAXPROCS(0), maxWorkers)
	}
	ctx, cancel := context.WithCancel(ctx)
	line := newAssembly(ctx, p.root, workers)
	defer line.group.Wait()
	defer cancel()
	line.group.Go(func() { line.feed(ctx, p.plan) })
	for t := range line.queue {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.ready:
		}
		if t.err != nil {
			return p.inputError(t, t.err)
		}
		if err := p.put(ctx, t); err != nil {
			return err
		}
		line.trays <- t.tray
		if p.opts.Progress != nil {
			p.opts.Progress(p.done, p.plan.Bytes)
		}
	}
	return ctx.Err()
}

// inputError names the file in errors of the file system; problems and ends of contexts need no name.
func (p *packing) inputError(t *task, err error) error {
	_, ok := errors.AsType[*problem.Problem](err)
	if ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return cannotReadInput(filepath.Join(p.plan.Dir, filepath.FromSlash(t.files[t.failed].Name)), err)
}

// put writes the results of a task into the archive.
func (p *packing) put(ctx context.Context, t *task) error {
	switch t.kind {
	case chunk:
		return p.putChunk(t)
	case stored:
		return p.putStored(ctx, t)
	}
	for i, r := range t.results {
		h := p.header(&t.files[i], r.head)
		h.Method, h.CRC, h.Packed = r.method, r.crc, int64(r.end-r.start)
		if err := p.zip.Add(h, t.tray.out.Bytes()[r.start:r.end]); err != nil {
			return cannotWrite(err)
		}
		p.done += h.Size
	}
	return nil
}

// header begins a header for a file whose content begins with head.
func (p *packing) header(f *PackedFile, head [8]byte) zipwrite.Header {
	h := zipwrite.Header{Name: f.Name, Mode: f.Mode, Size: f.Size}
	if !hasModes {
		if h.Mode = modeByContent(f.Name, head, p.opts.Entry); slices.Contains(p.opts.Programs, f.Name) {
			h.Mode = 0o755
		}
	}
	return h
}

// putChunk writes a piece of a large file, whose header and descriptor go with its first and last piece.
func (p *packing) putChunk(t *task) error {
	file, r := &t.files[0], t.results[0]
	if t.offset == 0 {
		h := p.header(file, r.head)
		h.Method, h.Later = zipwrite.Deflate, true
		if err := p.zip.Begin(h); err != nil {
			return cannotWrite(err)
		}
		p.crc = 0
	}
	if _, err := p.zip.Write(t.tray.out.Bytes()); err != nil {
		return cannotWrite(err)
	}
	p.crc = crc32.Update(p.crc, crc32.IEEETable, t.tray.in[t.past:t.past+t.length])
	p.done += int64(t.length)
	if !t.last() {
		return nil
	}
	if err := p.zip.End(p.crc, file.Size); err != nil {
		return cannotWrite(err)
	}
	return nil
}
