package prune

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"

	"satchel/mcpb"
)

const (
	codeChunk   = 1 << 20 // bytes of code looked at in one piece
	codeOverlap = 4096    // bytes of it that are looked at again with the next piece
	maxSpec     = 300     // bytes of what code loads; npm allows names of 214
)

// isCode tells whether a file may load packages. TypeScript counts only where the server itself is TypeScript: else it
// is what the server was made from.
func (t *tree) isCode(name string) bool {
	switch path.Ext(name) {
	case ".js", ".cjs", ".mjs", "": // programs often have no ending
		return true
	case ".ts", ".cts", ".mts", ".tsx", ".jsx":
		return strings.HasPrefix(strings.TrimLeft(path.Ext(t.manifest.Server.EntryPoint), ".cm"), "ts") && !strings.HasSuffix(name, ".d.ts")
	}
	return false
}

// isTest tells whether a file is a test or a tool's configuration by its name, which is no reason to keep a package. When
// the server itself has such a name, nothing is a test.
func (t *tree) isTest(name string) bool {
	return testName(name) && !testName(t.manifest.Server.EntryPoint)
}

func testName(name string) bool {
	base := path.Base(name)
	for _, mark := range []string{".test.", ".spec.", ".config."} {
		if strings.Contains(base, mark) {
			return true
		}
	}
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		switch part {
		case "test", "tests", "__tests__", "__mocks__", "spec", "specs", "e2e":
			return true
		}
	}
	return false
}

// scan tells each of what a file of code loads by a literal name, packages and relative paths, perhaps several times. It
// reads in pieces.
func (t *tree) scan(name string, each func(spec string)) error {
	f, err := t.fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, kept := make([]byte, codeChunk+codeOverlap), 0
	for {
		n, err := io.ReadFull(f, buf[kept:])
		loaded(buf[:kept+n], each)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(buf, buf[len(buf)-codeOverlap:])
	}
}

// scanPackages gives the names of the installed packages that files of code load. Those of their folders that Deep
// might drop are noted.
func (t *tree) scanPackages(files []mcpb.File, below string) (map[string]bool, error) {
	names := map[string]bool{}
	for _, f := range files {
		if !t.isCode(f.Name) || t.isTest(strings.TrimPrefix(f.Name, below)) {
			continue
		}
		err := t.scan(f.Name, func(spec string) {
			name := packageOf(spec)
			if !t.names[name] {
				return
			}
			names[name] = true
			if top, _, _ := strings.Cut(strings.TrimPrefix(spec, name+"/"), "/"); deepFolder(top) {
				t.inside[name+"/"+top] = true
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// loaded tells each of the texts that stand where code loads something: require("x"), import("x"), from "x", import "x",
// resolve("x"). It does not parse: what a comment loads is found too, and only keeps more.
func loaded(code []byte, each func(spec string)) {
	for at := 0; ; {
		i := bytes.IndexAny(code[at:], "\"'`")
		if i < 0 {
			return
		}
		at += i + 1
		end := bytes.IndexByte(code[at:min(len(code), at+maxSpec)], code[at-1])
		if end > 0 && loads(code[max(0, at-1-maxSpec):at-1]) {
			each(string(code[at : at+end]))
		}
	}
}

// loads tells whether code ends where the name of what is loaded comes next.
func loads(code []byte) bool {
	code = trimCode(code)
	if inner, ok := bytes.CutSuffix(code, []byte("(")); ok {
		code = trimCode(inner)
		return bytes.HasSuffix(code, []byte("require")) || bytes.HasSuffix(code, []byte("resolve")) || bytes.HasSuffix(code, []byte("import"))
	}
	return bytes.HasSuffix(code, []byte("from")) || bytes.HasSuffix(code, []byte("import"))
}

// trimCode takes white space and a comment or two from the end.
func trimCode(code []byte) []byte {
	for range 3 {
		code = bytes.TrimRight(code, " \t\r\n")
		i := bytes.LastIndex(code, []byte("/*"))
		if i < 0 || !bytes.HasSuffix(code, []byte("*/")) {
			break
		}
		code = code[:i]
	}
	return code
}

// packageOf gives the name of the package that code loads by spec; "" for a path and for what Node.js has itself.
func packageOf(spec string) string {
	if spec == "" || strings.ContainsAny(spec[:1], "./#$") || strings.HasPrefix(spec, "node:") || slices.Contains(builtins(), spec) {
		return ""
	}
	name, rest, _ := strings.Cut(spec, "/")
	if strings.HasPrefix(name, "@") {
		second, _, _ := strings.Cut(rest, "/")
		return name + "/" + second
	}
	return name
}

// builtins are the modules of Node.js that go before packages of the same name (node -p "module.builtinModules").
func builtins() []string {
	return []string{
		"assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram",
		"diagnostics_channel", "dns", "dns/promises", "domain", "events", "fs", "fs/promises", "http", "http2", "https", "inspector",
		"inspector/promises", "module", "net", "os", "path", "path/posix", "path/win32", "perf_hooks", "process", "punycode",
		"querystring", "readline", "readline/promises", "repl", "stream", "stream/consumers", "stream/promises", "stream/web",
		"string_decoder", "sys", "timers", "timers/promises", "tls", "trace_events", "tty", "url", "util", "util/types", "v8", "vm",
		"wasi", "worker_threads", "zlib",
	}
}
