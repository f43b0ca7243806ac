package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// The hard figures of the house style; the medians and percentiles are printed and held as well.
const (
	funcMax, funcMedian, funcP90 = 100, 12, 45
	fileMax, fileP90             = 800, 450
)

func TestStyleFigures(t *testing.T) {
	var funcs, files []int
	fset := token.NewFileSet()
	for _, p := range goList(t, "linux") {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			lines := fset.File(f.Pos()).LineCount()
			files = append(files, lines)
			if lines > fileMax {
				t.Errorf("%s has %d lines: at most %d; split it by what it is about", path, lines, fileMax)
			}
			funcs = append(funcs, checkDecls(t, fset, f, p.Name != "main")...)
		}
	}
	fm, f9, l9 := percentile(funcs, 50), percentile(funcs, 90), percentile(files, 90)
	t.Logf("functions: %d, median %d lines, p90 %d; files: %d, p90 %d lines", len(funcs), fm, f9, len(files), l9)
	if fm > funcMedian || f9 > funcP90 || l9 > fileP90 {
		t.Errorf("style figures: function median %d (at most %d), p90 %d (at most %d), file p90 %d (at most %d)", fm, funcMedian, f9, funcP90, l9, fileP90)
	}
}

// checkDecls gives the lengths of f's functions; it refuses init functions, long functions and undocumented exports.
func checkDecls(t *testing.T, fset *token.FileSet, f *ast.File, exports bool) (lengths []int) {
	t.Helper()
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			if exports {
				checkGenDecl(t, fset, decl.(*ast.GenDecl))
			}
			continue
		}
		at := fset.Position(fn.Pos())
		n := fset.Position(fn.End()).Line - at.Line + 1
		lengths = append(lengths, n)
		switch {
		case fn.Name.Name == "init" && fn.Recv == nil:
			t.Errorf("%s: an init function: wire it in one visible order instead", at)
		case n > funcMax:
			t.Errorf("%s: %s has %d lines: at most %d", at, fn.Name.Name, n, funcMax)
		case exports && fn.Doc == nil && fn.Name.IsExported() && exportedReceiver(fn) && !wellKnown[fn.Name.Name]:
			t.Errorf("%s: exported %s has no comment", at, fn.Name.Name)
		}
	}
	return lengths
}

// wellKnown are methods whose meaning an interface of the standard library fixes.
var wellKnown = map[string]bool{
	"Error": true, "Unwrap": true, "String": true, "Read": true, "Write": true, "Close": true, "Len": true,
	"Less": true, "Swap": true, "MarshalJSON": true, "UnmarshalJSON": true, "Name": true, "Size": true, "Mode": true,
	"ModTime": true, "IsDir": true, "Sys": true, "Type": true, "Info": true, "Stat": true, "Open": true, "ReadDir": true, "ReadAt": true,
}

func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if idx, ok := typ.(*ast.IndexExpr); ok {
		typ = idx.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func checkGenDecl(t *testing.T, fset *token.FileSet, d *ast.GenDecl) {
	t.Helper()
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				t.Errorf("%s: exported type %s has no comment", fset.Position(s.Pos()), s.Name.Name)
			}
		case *ast.ValueSpec:
			if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				t.Errorf("%s: exported %s has no comment", fset.Position(s.Pos()), s.Names[0].Name)
			}
		}
	}
}

func percentile(v []int, p int) int {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[(len(v)-1)*p/100]
}
