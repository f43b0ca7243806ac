package scaffold

import (
	"bytes"
	"path/filepath"
	"strings"

	"golang.org/x/text/encoding/unicode"

	"satchel/internal/problem"
)

// maxProjectFile is the largest file of a project that is read, in bytes. The largest package.json known to npm's
// registry are a tenth of it.
const maxProjectFile = 4 << 20

// ReferenceManifest gives the bytes that `mcpb init -y` of the reference (@anthropic-ai/mcpb 2.1.2) writes for the
// folder dir, an absolute path, with this package.json; nil when there is none. Like the reference it takes values of
// any type as they are, and what is no JSON as no package.json at all. Errors are problems of class Invalid: where
// the reference ends with a TypeError, and a package.json that is larger or nested deeper than we read.
func ReferenceManifest(dir string, packageJSON []byte) ([]byte, error) {
	pkg, err := referencePackage(packageJSON)
	if err != nil {
		return nil, err
	}
	author := pkg.get("author")
	authorName, email, url := author, jsUndefined(), jsUndefined()
	if author.kind != jsString {
		authorName = author.get("name")
	}
	if author.kind == jsObject {
		email, url = author.get("email"), author.get("url")
	}
	entry := pkg.get("main").or("server/index.js")
	entryText, ok := entry.text()
	if !ok {
		return nil, problem.New(problem.Invalid, "init/package-json", `"main" cannot be made a text`).At("package.json").Try("set main to the path of the server's file")
	}
	m := jsObjectOf(
		"manifest_version", jsText("0.2"),
		"name", pkg.get("name").or(jsBase(dir)),
		"version", pkg.get("version").or("1.0.0"),
		"description", pkg.get("description").or("A MCPB bundle"),
		"author", jsObjectOf("name", authorName.or("Unknown Author"), "email", email.orNothing(), "url", url.orNothing()),
		"server", jsObjectOf(
			"type", jsText("node"),
			"entry_point", entry,
			"mcp_config", jsObjectOf("command", jsText("node"), "args", jsListOf(jsText("${__dirname}/"+entryText)), "env", jsObjectOf()),
		),
		"license", pkg.get("license").or("MIT"),
	)
	var b bytes.Buffer
	m.write(&b, "")
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// referencePackage reads a package.json as JSON.parse does. What is no JSON is an empty object, as for the reference;
// null is an error, because the reference then looks for properties of null.
func referencePackage(data []byte) (*jsValue, error) {
	if len(data) > maxProjectFile {
		return nil, problem.New(problem.Invalid, "init/project-file", "is larger than %d bytes", maxProjectFile).At("package.json")
	}
	if data == nil {
		return jsObjectOf(), nil
	}
	v, deep := parseJS([]byte(decodeUTF8(data)))
	switch {
	case deep:
		return nil, problem.New(problem.Invalid, "init/project-file", "is nested deeper than %d levels", maxJSDepth).At("package.json")
	case v == nil:
		return jsObjectOf(), nil
	case v.kind == jsNull:
		return nil, problem.New(problem.Invalid, "init/package-json", "is null, expected an object").At("package.json").Try("write {} or delete it")
	}
	return v, nil
}

// jsBase is path.basename of Node.js: of "/" it is empty.
func jsBase(dir string) string {
	dir = strings.TrimRight(filepath.ToSlash(dir[len(filepath.VolumeName(dir)):]), "/")
	return decodeUTF8([]byte(dir[strings.LastIndexByte(dir, '/')+1:]))
}

// decodeUTF8 puts U+FFFD for what is no UTF-8, as many as Node.js does.
func decodeUTF8(b []byte) string {
	s, _ := unicode.UTF8.NewDecoder().Bytes(b) // this decoder knows no error
	return string(s)
}
