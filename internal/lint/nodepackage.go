package lint

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// A nodePackage is what rules ask of a package.json. What has another type than it should is passed over.
type nodePackage struct {
	Name, Version, License string
	Scripts                map[string]string // those that run when the package is installed
	Dependencies           []dependency      // what is needed to run, optional ones too
	Development            []dependency
	Native                 bool // it is built by node-gyp when it is installed
}

// A dependency is a package and the versions of it that will do.
type dependency struct {
	name, wanted string
}

// isPackage tells whether a file is the package.json of a package, not some file of that name inside one.
func isPackage(name string) bool {
	dir, base := path.Split(name)
	if base != "package.json" {
		return false
	}
	dir = strings.TrimSuffix(dir, "/")
	i := strings.LastIndex("/"+dir, "/node_modules/")
	if i < 0 {
		return strings.Count(dir, "/") <= 1
	}
	inside := strings.Split(dir[i+len("node_modules/"):], "/")
	return len(inside) == 1 || len(inside) == 2 && strings.HasPrefix(inside[0], "@")
}

// maxShort bounds the texts of a package.json that are kept.
const maxShort = 300

func readPackage(data []byte) *nodePackage {
	var raw map[string]json.RawMessage
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &raw) != nil { // npm skips a byte order mark too
		return nil
	}
	p := &nodePackage{Name: short(raw["name"]), Version: short(raw["version"]), License: packageLicense(raw), Scripts: map[string]string{}}
	var scripts map[string]json.RawMessage
	_ = json.Unmarshal(raw["scripts"], &scripts) // another type has none
	for name, raw := range scripts {
		var script string
		if isLifecycle(name) && json.Unmarshal(raw, &script) == nil && script != "" {
			p.Scripts[name] = script[:min(len(script), maxShort)]
		}
	}
	p.Native = string(raw["gypfile"]) == "true"
	for _, key := range []string{"dependencies", "optionalDependencies", "peerDependencies"} {
		p.Dependencies = append(p.Dependencies, dependencies(raw[key])...)
	}
	p.Development = dependencies(raw["devDependencies"])
	return p
}

func isLifecycle(script string) bool {
	return script == "preinstall" || script == "install" || script == "postinstall" || script == "prepare"
}

func short(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil || len(s) > maxShort {
		return ""
	}
	return s
}

func texts(raw json.RawMessage) map[string]string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(raw, &values) // another type has none
	out := map[string]string{}
	for key, value := range values {
		if s := short(value); s != "" && len(key) <= maxShort {
			out[key] = s
		}
	}
	return out
}

// packageLicense reads both the current form and the older ones, {"type": ...} and a list of them.
func packageLicense(raw map[string]json.RawMessage) string {
	if s := short(raw["license"]); s != "" {
		return s
	}
	var one struct{ Type string }
	if json.Unmarshal(raw["license"], &one) == nil && one.Type != "" {
		return one.Type[:min(len(one.Type), maxShort)]
	}
	var many []struct{ Type string }
	var types []string
	_ = json.Unmarshal(raw["licenses"], &many)
	for _, l := range many[:min(len(many), 5)] {
		types = append(types, l.Type[:min(len(l.Type), maxShort)])
	}
	return strings.Join(types, " OR ")
}

func dependencies(raw json.RawMessage) (list []dependency) {
	wanted := texts(raw)
	for name := range wanted {
		list = append(list, dependency{name: name, wanted: wanted[name]})
	}
	slices.SortFunc(list, func(a, b dependency) int { return strings.Compare(a.name, b.name) })
	return list
}

// locate gives the spot of a dependency in the text of its package.json.
func (d dependency) locate(data []byte) spot {
	if i := strings.Index(string(data), `"`+d.name+`"`); i >= 0 {
		return (&placer{data: data}).at(i, i+len(d.name)+2)
	}
	return spot{}
}

// root gives the package.json of the server itself, which is at the top or beside the entry point. One that only says
// "type": "module", as compilers write it beside their output, counts when there is no other.
func (r *run) root() (found *file) {
	for dir := path.Dir(r.manifest.EntryFile()); ; dir = path.Dir(dir) {
		if f := r.tree.byName[path.Join(dir, "package.json")]; f != nil && f.pkg != nil {
			if f.pkg.Name != "" || len(f.pkg.Dependencies)+len(f.pkg.Development) > 0 {
				return f
			}
			if found == nil {
				found = f
			}
		}
		if dir == "." || dir == "/" || dir == ".." {
			return found
		}
	}
}

// installed gives the packages in node_modules folders, by name.
func (r *run) installed() (list []*file) {
	for _, f := range r.tree.files {
		if f.pkg != nil && strings.Contains("/"+f.name, "/node_modules/") {
			list = append(list, f)
		}
	}
	return list
}

// packageName gives the name under which a package is installed, which is that of its folder.
func packageName(f *file) string {
	dir := path.Dir(f.name)
	i := strings.LastIndex("/"+dir, "/node_modules/")
	return dir[i+len("node_modules/"):]
}
