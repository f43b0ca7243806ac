package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"satchel/internal/lint"
	"satchel/mcpb"
	"satchel/mcpb/manifest"
)

// TestEveryErrorIsExplained holds docs/errors.md to the rules that the program gives: what says its rule without saying
// where that comes from sends its reader there.
func TestEveryErrorIsExplained(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range mcpb.Rules() {
		listed[r.ID] = true
	}
	for _, r := range manifest.Rules() {
		listed[r.ID] = true
	}
	for _, r := range lint.Rules() {
		listed[r.ID] = true
	}
	onPage := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/-]+)` \\|").FindAllStringSubmatch(read(t, root+"/docs/errors.md"), -1) {
		if listed[m[1]] || onPage[m[1]] {
			t.Errorf("docs/errors.md explains %s a second time", m[1])
		}
		onPage[m[1]] = true
	}
	used := usedRules(t)
	for rule, where := range used {
		if !listed[rule] && !onPage[rule] {
			t.Errorf("%s: rule %s is not explained in docs/errors.md", where, rule)
		}
	}
	for rule := range onPage {
		if used[rule] == "" {
			t.Errorf("docs/errors.md explains %s, which nothing gives", rule)
		}
	}
}

var ruleID = regexp.MustCompile(`^[a-z]+/[a-z0-9-]+$`)

// usedRules finds the rule of every problem.New and every constant called rule in the program, and where it stands.
func usedRules(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	fset := token.NewFileSet()
	take := func(e ast.Expr) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && ruleID.MatchString(text) {
			used[text] = fset.Position(lit.Pos()).String()
		}
	}
	for _, dir := range []string{"cmd", "internal", "mcpb"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "New" && len(n.Args) > 2 {
						take(n.Args[1])
					}
				case *ast.ValueSpec:
					if len(n.Names) == 1 && n.Names[0].Name == "rule" && len(n.Values) == 1 {
						take(n.Values[0])
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return used
}
