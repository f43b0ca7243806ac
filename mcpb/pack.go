package mcpb

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
)

// A PackReport is what Pack did.
type PackReport struct {
	Files    int      `json:"files"`
	BytesIn  int64    `json:"bytesIn"`
	Size     int64    `json:"size"`   // bytes of the bundle
	Digest   string   `json:"digest"` // the bundle digest
	Ignored  int      `json:"ignored"`
	Warnings []string `json:"warnings"`
}

// PackFile packs the folder dir into the bundle out. The bundle appears whole or not at all: it is written beside out
// and renamed. A bundle that was there is replaced; one inside dir does not pack itself.
func PackFile(ctx context.Context, dir, out string, opts PackOptions) (*PackReport, error) {
	abs, err := filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	if parent, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		opts.except = filepath.Join(parent, filepath.Base(abs))
	}
	plan, err := Plan(dir, opts)
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(out, 0o644)
	if err != nil {
		return nil, problem.New(problem.Failed, "pack/output", "cannot be written").At(out).Because(err)
	}
	defer f.Abort()
	report, err := Pack(ctx, f, plan, opts)
	if err != nil {
		return nil, err
	}
	if err := f.Commit(); err != nil {
		return nil, problem.New(problem.Failed, "pack/output", "cannot be written").At(out).Because(err)
	}
	return report, nil
}

// Pack writes the bundle of a plan to w. Files that changed since the plan was made are an error. The same files give
// the same bytes, whatever the machine, the number of workers and the dates of the files.
func Pack(ctx context.Context, w io.Writer, plan *PackPlan, opts PackOptions) (*PackReport, error) {
	root, err := os.OpenRoot(plan.Dir)
	if err != nil {
		return nil, cannotRead(plan.Dir, err)
	}
	defer root.Close()
	sum := sha256.New()
	z := newZipWriter(io.MultiWriter(w, sum), opts.ModTime)
	p := &packing{root: root, plan: plan, opts: opts, zip: z}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	if err := z.close(); err != nil {
		return nil, problem.New(problem.Failed, "pack/output", "cannot be written").Because(err)
	}
	return &PackReport{
		Files: len(plan.Files), BytesIn: plan.Bytes, Size: z.offset, Digest: digestText(sum.Sum(nil)),
		Ignored: len(plan.Excluded), Warnings: plan.Warnings,
	}, nil
}

// A packing is one run of Pack: workers compress whole files ahead, in a bounded window, and one writer puts them into
// the archive in order. Files larger than chunkSize are compressed in chunks as the writer comes to them.
type packing struct {
	root *os.Root
	plan *PackPlan
	opts PackOptions
	zip  *zipWriter
	done int64
}

const (
	chunkSize = 1 << 20 // bytes of a file that are held and compressed at once
	window    = 4       // files or chunks under way, per worker
)

func (p *packing) run(ctx context.Context) error {
	workers := p.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	pool := newCompressors(ctx, p.root, workers)
	defer pool.wait()
	defer cancel()
	queue := make(chan *job, workers*window)
	go func() {
		defer close(queue)
		for i := range p.plan.Files {
			if f := &p.plan.Files[i]; !pool.submit(ctx, queue, &job{file: f, size: f.Size}) {
				return
			}
		}
	}()
	for j := range queue {
		if err := p.put(ctx, pool, j); err != nil {
			return p.failed(j.file, err)
		}
		p.done += j.file.Size
		if p.opts.Progress != nil {
			p.opts.Progress(p.done, p.plan.Bytes)
		}
	}
	return ctx.Err()
}

// put writes one file into the archive, when its job is done.
func (p *packing) put(ctx context.Context, pool *compressors, j *job) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-j.ready:
	}
	defer pool.release(j)
	if j.err != nil {
		return j.err
	}
	if j.large {
		return p.putLarge(ctx, pool, j.file)
	}
	e := zipEntry{name: j.file.Name, mode: p.mode(j.file, j.in), crc: j.crc, size: int64(len(j.in))}
	if j.out != nil && len(j.out) < len(j.in) {
		e.method, e.packed = methodDeflate, int64(len(j.out))
		return p.zip.whole(e, j.out)
	}
	e.packed = e.size
	return p.zip.whole(e, j.in)
}

func (p *packing) failed(f *PackedFile, err error) error {
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return cannotRead(filepath.Join(p.plan.Dir, filepath.FromSlash(f.Name)), err)
}

// mode gives the permission bits of a file. Windows has none: there the entry point and what begins like a program
// are executable, so that a bundle packed on Windows starts elsewhere (modelcontextprotocol/mcpb#235).
func (p *packing) mode(f *PackedFile, head []byte) os.FileMode {
	switch {
	case hasModes:
		return f.Mode
	case f.Name == path.Clean(p.opts.Entry) || isProgram(head):
		return 0o755
	}
	return 0o644
}

// isProgram knows ELF, Mach-O (thin and fat, both byte orders) and scripts by their first bytes.
func isProgram(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch string(head[:4]) {
	case "\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe":
		return true
	}
	return string(head[:2]) == "#!"
}
