package cli

import (
	"os"
	"path/filepath"

	"satchel/internal/atomicfile"
	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/mcpb/manifest"
)

type fixResult struct {
	*validateResult
	Fixes   []manifest.Change `json:"fixes"`
	Written bool              `json:"written"`
	Diff    string            `json:"diff,omitempty"` // with --diff
}

// runFix mends the manifest and writes it, or with diff only tells what it would change.
func (o validateOptions) runFix() (*fixResult, error) {
	info, err := os.Stat(o.path)
	if err == nil && !info.IsDir() && isBundle(o.path) {
		return nil, problem.New(problem.Usage, "validate/bundle", "is a bundle, which is not changed in place").At(o.path).
			Try("satchel unpack %s, then satchel validate --fix in its folder, and satchel pack", problem.Words(o.path))
	}
	m, err := openManifest(o.path)
	if err != nil {
		return nil, err
	}
	defer m.close()
	mended := manifest.Mend(m.data, o.checks(m))
	mended.Report.File = m.name
	res := &fixResult{
		validateResult: &validateResult{File: m.name, OK: mended.Report.OK(), Report: mended.Report, source: mended.Data},
		Fixes:          mended.Changes,
	}
	switch {
	case len(mended.Changes) == 0:
		return res, nil
	case o.diff:
		res.Diff = unifiedDiff(m.name, m.data, m.name+" (fixed)", mended.Data)
		return res, nil
	}
	res.Written = true
	return res, writeOver(m.name, mended.Data)
}

// writeOver puts new content into a file that is there; when it is a link, into what it leads to.
func writeOver(name string, data []byte) error {
	failed := problem.New(problem.Failed, "validate/write", "cannot be written").At(name)
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		return failed.Because(err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return failed.Because(err)
	}
	if err := atomicfile.Write(target, data, info.Mode().Perm()); err != nil {
		return failed.Because(err)
	}
	return nil
}

func (o validateOptions) printFix(a *app, res *fixResult) error {
	if !a.json {
		if res.Diff != "" {
			a.printDiff(res.Diff)
		} else {
			for _, c := range res.Fixes {
				a.out.Printf("%s %s\n", a.out.Green("fixed:"), term.VisibleLine(changeText(res.File, c)))
			}
		}
		if len(res.Fixes) == 0 && len(res.Findings) > 0 {
			a.out.Printf("%s: nothing of this can be fixed without you:\n", term.VisibleLine(res.File))
		}
	}
	return o.finish(a, res, res.validateResult)
}
