package lint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"satchel/internal/lint/object"
	"satchel/internal/lint/secret"
	"satchel/internal/lint/source"
	"satchel/internal/problem"
	"satchel/internal/term"
)

// The bounds of what is read. Each is far above what a real bundle has.
const (
	maxFiles       = 300_000
	maxFileBytes   = 16 << 20 // of one file
	maxTotalBytes  = 1 << 30  // of all files
	maxSourceBytes = 4 << 20  // of a program that is read word by word
	maxPackage     = 256 << 10
	maxPackages    = 64 << 20 // of all package.json files
	maxKept        = 1 << 20  // of a small file that a rule reads itself
	maxSecrets     = 10       // of one file
)

// A tree is the files of a bundle with what reading them once gave; it does not change afterwards.
type tree struct {
	files   []*file // by name, the author's own before those of dependencies
	byName  map[string]*file
	bytes   int64
	scanner *secret.Scanner
}

// manifestAlone is the tree of a subject without files.
func manifestAlone(text []byte) *tree {
	f := &file{name: manifestName, size: int64(len(text))}
	t := &tree{files: []*file{f}, byName: map[string]*file{f.name: f}, bytes: f.size, scanner: secret.New()}
	(&reader{scanner: t.scanner}).text(f, text)
	return t
}

// A file is one file of the bundle.
type file struct {
	name    string
	size    int64
	dep     bool   // it belongs to a dependency, not to the author
	unread  string // why it was not, or not wholly, looked at
	secrets []hit
	object  *object.Header    // of a native program or library
	source  *facts            // of the author's own programs
	pkg     *nodePackage      // of a package.json
	image   *picture          // of a PNG
	data    []byte            // of a small file that a rule reads itself
	sum     [sha256.Size]byte // of a large file that has the size of another
	sized   bool              // sum is wanted
}

// A spot is a place in a file.
type spot struct {
	line, column int
	snippet      term.Snippet
}

// A hit is something at a place in a file.
type hit struct {
	what string
	spot
}

// facts are what an author's program uses.
type facts struct{ imports, calls, urls []hit }

// readTree lists the files and reads each once. entry names the author's programs that a folder of dependencies may hold.
func readTree(ctx context.Context, fsys fs.FS, entries []string) (*tree, error) {
	t := &tree{byName: map[string]*file{}, scanner: secret.New()}
	if err := t.list(ctx, fsys); err != nil {
		return nil, err
	}
	t.own(entries)
	slices.SortFunc(t.files, func(a, b *file) int {
		if a.dep != b.dep {
			if a.dep {
				return 1
			}
			return -1
		}
		return strings.Compare(a.name, b.name)
	})
	t.budget()
	return t, t.read(ctx, fsys)
}

func (t *tree) list(ctx context.Context, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return unreadable(name, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case !d.Type().IsRegular():
			return nil
		case len(t.files) >= maxFiles:
			return problem.New(problem.Invalid, "lint/files", "has more than %d files", maxFiles)
		}
		info, err := d.Info()
		if err != nil {
			return unreadable(name, err)
		}
		f := &file{name: name, size: info.Size()}
		t.files = append(t.files, f)
		t.byName[name] = f
		t.bytes += f.size
		return nil
	})
}

// unreadable makes the problem for an error of the file system; a bundle's own problems stay as they are.
func unreadable(name string, err error) error {
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return problem.New(problem.Failed, "lint/read", "cannot be read").At(name).Because(err)
}

// own tells the author's files from those of dependencies: what is in a folder of packages, or beside the *.dist-info
// folders that Python's installers leave.
func (t *tree) own(entries []string) {
	vendored := map[string]bool{}
	for _, f := range t.files {
		if before, _, ok := strings.Cut(f.name, ".dist-info/"); ok {
			if dir := path.Dir(before); dir != "." {
				vendored[dir] = true
			}
		}
	}
	for _, f := range t.files {
		f.dep = !slices.Contains(entries, f.name) && inPackages(f.name, vendored)
	}
}

func inPackages(name string, vendored map[string]bool) bool {
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		switch base := path.Base(dir); {
		case vendored[dir], base == "node_modules", base == "site-packages", base == "dist-packages", base == "venv", base == ".venv":
			return true
		}
	}
	return false
}

// budget says what is not read, by the files' order and sizes alone, so that the outcome does not depend on timing.
func (t *tree) budget() {
	var total, packages int64
	sizes := map[int64]int{}
	for _, f := range t.files {
		if f.size >= minDuplicate && f.size <= maxFileBytes {
			sizes[f.size]++
		}
	}
	for _, f := range t.files {
		f.sized = sizes[f.size] > 1
		if total += min(f.size, maxFileBytes); total > maxTotalBytes {
			f.unread = fmt.Sprintf("the files before it have more than %s", term.Bytes(maxTotalBytes))
			continue
		}
		if isPackage(f.name) {
			if packages += f.size; f.size > maxPackage || packages > maxPackages {
				f.unread = "it, or all package.json files together, are larger than is read"
			}
		}
	}
}

// read has every file read by a few workers.
func (t *tree) read(ctx context.Context, fsys fs.FS) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), 4) {
		group.Go(func() error {
			r := &reader{fsys: fsys, scanner: t.scanner}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(t.files) {
					return nil
				}
				if err := r.file(t.files[i]); err != nil {
					return unreadable(t.files[i].name, err)
				}
			}
			return ctx.Err()
		})
	}
	return group.Wait()
}

// A reader is one worker with its memory.
type reader struct {
	fsys    fs.FS
	scanner *secret.Scanner
	buf     []byte
}

// file reads a file as far as its content matters.
func (r *reader) file(f *file) error {
	if f.unread != "" || f.size == 0 {
		return nil
	}
	in, err := r.fsys.Open(f.name)
	if err != nil {
		return err
	}
	defer in.Close()
	data, err := r.fill(in, 0, object.HeadSize)
	if err != nil {
		return err
	}
	if h, ok := object.Read(data); ok {
		f.object = &h
	}
	f.image = readPicture(data)
	binary := slices.Contains(data, 0) && !isProgram(f.name) // one zero byte in a comment must not hide a program
	if binary && !f.sized {
		return nil
	}
	if data, err = r.fill(in, len(data), maxFileBytes); err != nil {
		return err
	}
	if f.size > int64(len(data)) {
		f.unread = fmt.Sprintf("only its first %s were looked at", term.Bytes(maxFileBytes))
	}
	if f.sized {
		f.sum = sha256.Sum256(data)
	}
	if !binary {
		r.text(f, data)
	}
	return nil
}

// fill reads on until limit bytes are there or the file ends.
func (r *reader) fill(in io.Reader, have, limit int) ([]byte, error) {
	for have < limit {
		if have == len(r.buf) {
			r.buf = append(r.buf, make([]byte, max(64<<10, len(r.buf)))...)
		}
		n, err := in.Read(r.buf[have:min(len(r.buf), limit)])
		have += n
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return r.buf[:have], nil
}

// text looks at a text for what rules will ask of it.
func (r *reader) text(f *file, data []byte) {
	if !f.dep || !forReaders(f.name) {
		p := &placer{data: data}
		for _, m := range r.scanner.Scan(data, maxSecrets) {
			if m.Kind != passwordInURL || !f.dep {
				f.secrets = append(f.secrets, hit{m.Kind, p.masked(m.Start, m.End)})
			}
		}
	}
	switch {
	case isPackage(f.name):
		if f.pkg = readPackage(data); !f.dep {
			f.data = slices.Clone(data)
		}
	case f.dep:
	case isKept(f.name) && len(data) <= maxKept:
		f.data = slices.Clone(data)
	case isProgram(f.name) && len(data) <= maxSourceBytes:
		f.source = readSource(f.name, data)
	case isProgram(f.name):
		f.unread = fmt.Sprintf("programs of more than %s are not read word by word", term.Bytes(maxSourceBytes))
	}
}

// passwordInURL is the kind of secret that the documentation of dependencies is full of.
const passwordInURL = "a password in a URL"

// forReaders tells whether a dependency has a file for its own tests and readers: keys in there are examples.
func forReaders(name string) bool {
	for part := range strings.SplitSeq(strings.ToLower(path.Dir(name)), "/") {
		switch part {
		case "test", "tests", "__tests__", "testing", "testdata", "fixtures", "example", "examples", "doc", "docs", "spec", "mocks", "__mocks__", "benchmark":
			return true
		}
	}
	ext := strings.ToLower(path.Ext(name))
	return ext == ".md" || ext == ".markdown" || ext == ".rst" || ext == ".map" || strings.Contains(path.Base(name), ".test.")
}

func isProgram(name string) bool {
	switch path.Ext(name) {
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".py": // Node.js and Bun start TypeScript as it is
		return !isDeclaration(name)
	}
	return false
}

// isDeclaration knows files with types only, which nothing runs.
func isDeclaration(name string) bool {
	return strings.HasSuffix(name, ".d.ts") || strings.HasSuffix(name, ".d.mts") || strings.HasSuffix(name, ".d.cts")
}

// readSource finds what a program uses.
func readSource(name string, data []byte) *facts {
	var s source.Facts
	if path.Ext(name) == ".py" {
		s = source.Python(data, pythonCalls())
	} else {
		s = source.JavaScript(data, javascriptCalls())
	}
	return &facts{place(data, s.Imports), place(data, s.Calls), place(data, s.URLs)}
}

func place(data []byte, refs []source.Ref) []hit {
	slices.SortStableFunc(refs, func(a, b source.Ref) int { return cmp.Compare(a.Start, b.Start) })
	p := &placer{data: data}
	var hits []hit
	for _, r := range refs {
		hits = append(hits, hit{r.Text, p.at(r.Start, r.End)})
	}
	return hits
}

// A placer works out lines and columns of places that come in the order of the text, in one pass over it.
type placer struct {
	data  []byte
	done  int
	lines int // before done
	start int // of the line that done is in
	cut   int // the end of the last secret
}

func (p *placer) at(start, end int) spot {
	for i := p.done; i < start; i++ {
		if p.data[i] == '\n' {
			p.lines, p.start = p.lines+1, i+1
		}
	}
	p.done = max(p.done, start)
	column := 1 + start - p.start
	if start-p.start < 10_000 { // further right, nobody counts characters
		column = 1 + len([]rune(string(p.data[p.start:start])))
	}
	return spot{p.lines + 1, column, term.CutSnippet(p.data, start, end)}
}

// masked is at with the marked text cut: a report of a secret must not spread it. What stands behind may belong to it.
func (p *placer) masked(start, end int) spot {
	s := p.at(start, end)
	s.snippet.Marked, s.snippet.After = mask(s.snippet.Marked), ""
	if p.cut > p.start { // another secret stands before it on the line
		s.snippet.Before = "…"
	}
	p.cut = end
	return s
}

// mask keeps the first characters of a secret, by which its owner knows it.
func mask(s string) string {
	r := []rune(s)
	return string(r[:min(len(r), 4)]) + "…"
}
