package prune

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// maxPackageJSON bounds what is read of a package.json.
const maxPackageJSON = 4 << 20

// A packageJSON is what matters of one. What has another form than npm gives it counts as not there.
type packageJSON struct {
	version    string
	needs      map[string]string // dependencies, optional, peer and bundled ones, with their versions
	dev        map[string]string
	workspaces bool
	paths      []string // that main, exports, imports and bin name
}

// readPackageJSON reads dir/package.json; nil when there is none, or none that can be read as JSON.
func (t *tree) readPackageJSON(dir string) (*packageJSON, error) {
	f, err := t.fsys.Open(path.Join(dir, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPackageJSON+1))
	if err != nil {
		return nil, err
	}
	p, err := parsePackageJSON(data)
	if err != nil || len(data) > maxPackageJSON {
		t.note("%s cannot be read: what it needs is known from code only", path.Join(dir, "package.json"))
		return nil, nil
	}
	return p, nil
}

func parsePackageJSON(data []byte) (*packageJSON, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	p := &packageJSON{needs: map[string]string{}, dev: versions(raw["devDependencies"])}
	_ = json.Unmarshal(raw["version"], &p.version)
	for _, key := range []string{"peerDependencies", "optionalDependencies", "dependencies"} {
		maps.Copy(p.needs, versions(raw[key]))
	}
	for _, key := range []string{"bundleDependencies", "bundledDependencies"} {
		var names []string // true means all dependencies, which are there already
		_ = json.Unmarshal(raw[key], &names)
		for _, name := range names {
			if _, known := p.needs[name]; !known {
				p.needs[name] = ""
			}
		}
	}
	p.workspaces = len(texts(raw["workspaces"])) > 0
	for _, key := range []string{"main", "module", "browser", "exports", "imports", "bin"} {
		p.paths = append(p.paths, texts(raw[key])...)
	}
	return p, nil
}

// versions reads an object of names and versions.
func versions(raw json.RawMessage) map[string]string {
	var loose map[string]json.RawMessage
	_ = json.Unmarshal(raw, &loose) // another form names nothing
	list := map[string]string{}
	for name, v := range loose {
		var version string
		_ = json.Unmarshal(v, &version)
		list[name] = version
	}
	return list
}

// texts collects every text in a JSON value, however deep.
func texts(raw json.RawMessage) []string {
	var v any
	_ = json.Unmarshal(raw, &v) // what is not there holds no text
	var list []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			list = append(list, v)
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				walk(v[key])
			}
		}
	}
	walk(v)
	return list
}

// linked names a dependency that package managers make a link for.
func linked(version string) bool {
	for _, protocol := range []string{"workspace:", "link:", "portal:", "file:"} {
		if strings.HasPrefix(version, protocol) {
			return true
		}
	}
	return false
}

func (p *pkg) title() string {
	if p.meta == nil || p.meta.version == "" {
		return p.name
	}
	return fmt.Sprintf("%s %s", p.name, p.meta.version)
}
