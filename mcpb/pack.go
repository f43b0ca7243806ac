package mcpb

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/mcpb/internal/zipwrite"
)

// PackOptions say how to pack. The zero value packs everything that the ignore rules let through, dated 1980.
type PackOptions struct {
	Entry    string                  // the manifest's entry point, a path as in the bundle: it cannot be ignored away; "" when there is none
	Programs []string                // the files that the manifest's commands start: they cannot be ignored away either
	Include  []string                // files to pack although they look like secrets or are ignored; paths as in the bundle
	Follow   bool                    // pack what links inside the folder point to, instead of refusing them
	ModTime  time.Time               // the date of every entry, in UTC; before 1980: 1980-01-01
	Workers  int                     // files compressed at once; 0: one per processor, at most 6. The bytes are the same for any number
	Check    func(*PackPlan) error   // called with the plan before anything is written; its error is that of planning. nil: not called
	Progress func(done, total int64) // called with bytes of the files, from one goroutine at a time
	output   *outputInTree           // where PackFile writes, when that is below the folder
}

// A PackReport is what Pack did.
type PackReport struct {
	Files    int           `json:"files"`
	BytesIn  int64         `json:"bytesIn"`
	Size     int64         `json:"size"`    // bytes of the bundle
	Digest   string        `json:"digest"`  // the bundle digest: "sha256:" and lower-case hex
	Ignored  int           `json:"ignored"` // files and folders that stayed out; a folder counts once
	Warnings []string      `json:"warnings"`
	Duration time.Duration `json:"-"` // the same files give the same document
	Plan     *PackPlan     `json:"-"` // what went in and what did not
}

// PackFile packs the folder dir into the bundle out, whose folder must exist. The bundle appears whole or not at all: it
// is written beside out and renamed. A bundle that was there is replaced, and does not pack itself when it is inside dir.
// Errors are *[Problem]s, or that of ctx when it ends.
func PackFile(ctx context.Context, dir, out string, opts PackOptions) (*PackReport, error) {
	start := time.Now()
	var err error
	if opts.output, err = findOutput(dir, out); err != nil {
		return nil, err
	}
	plan, err := Plan(dir, opts)
	if err != nil {
		return nil, err
	}
	f, err := atomicfile.Create(out, 0o644)
	if err != nil {
		return nil, cannotWrite(err).At(out)
	}
	defer f.Abort()
	report, err := Pack(ctx, f, plan, opts)
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Subject == "" {
		return nil, p.At(out)
	}
	if err != nil {
		return nil, err
	}
	if err := f.Commit(); err != nil {
		return nil, cannotWrite(err).At(out)
	}
	report.Duration = time.Since(start)
	return report, nil
}

// Pack writes the bundle of a plan to w. A file that is no longer as planned is an error. The same files give the same
// bytes, whatever the machine, the number of workers and the dates of the files. Memory is bounded by the number of
// workers, not by the size of a file; a plan takes some hundred bytes for each file.
func Pack(ctx context.Context, w io.Writer, plan *PackPlan, opts PackOptions) (*PackReport, error) {
	start := time.Now()
	root, err := os.OpenRoot(plan.Dir)
	if err != nil {
		return nil, cannotReadInput(plan.Dir, err)
	}
	defer root.Close()
	sum := sha256.New()
	p := &packing{root: root, plan: plan, opts: opts, zip: zipwrite.New(io.MultiWriter(w, sum), opts.ModTime)}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	if err := p.zip.Close(); err != nil {
		return nil, cannotWrite(err)
	}
	return &PackReport{
		Files: len(plan.Files), BytesIn: plan.Bytes, Size: p.zip.Offset(), Digest: digestText(sum.Sum(nil)),
		Ignored: len(plan.Excluded), Warnings: plan.Warnings, Duration: time.Since(start), Plan: plan,
	}, nil
}

func cannotWrite(err error) *problem.Problem {
	return problem.New(problem.Failed, "pack/output", "cannot be written").Because(err)
}

// An outputInTree is the path below the folder that is packed, slash-separated, at which the bundle will be.
type outputInTree struct{ name string }

// findOutput tells where the bundle will be in the folder; nil when it will be elsewhere. What is there must be a file.
func findOutput(dir, out string) (*outputInTree, error) {
	if info, err := os.Stat(out); err == nil && !info.Mode().IsRegular() {
		return nil, problem.New(problem.Failed, "pack/output", "is not a regular file; a bundle cannot replace it").At(out)
	}
	root, err := realPath(dir)
	if err != nil {
		return nil, cannotReadInput(dir, err)
	}
	parent, err := realPath(filepath.Dir(out))
	if err != nil {
		return nil, cannotWrite(err).At(out)
	}
	rel, err := filepath.Rel(root, filepath.Join(parent, filepath.Base(out)))
	if err != nil || !filepath.IsLocal(rel) {
		return nil, nil
	}
	return &outputInTree{filepath.ToSlash(rel)}, nil
}

// realPath gives an absolute path without links.
func realPath(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
