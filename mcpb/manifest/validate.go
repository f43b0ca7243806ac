package manifest

import (
	"bytes"
	"fmt"
	"io/fs"
	"unicode/utf8"
)

// Checks say what [Validate] looks at beside the schema.
type Checks struct {
	SchemaOnly bool  // only what the reference checks
	Files      fs.FS // the folder or bundle of the manifest: what it names must be there; nil: not looked at
}

// Validate checks a manifest strictly, for its author: its JSON, its schema, and what the schema cannot say.
func Validate(data []byte, checks Checks) *Report {
	c, _ := check(data, checks)
	return newReport(c.out, data)
}

// check makes all findings. The tree is nil when there is no JSON.
func check(data []byte, checks Checks) (*checker, *node) {
	c, root := checkSchema(data, false)
	if root != nil && root.kind == kObject && c.version != 0 && !checks.SchemaOnly {
		(&meaning{checker: c, root: root, files: checks.Files}).check()
	}
	return c, root
}

// Parse reads a manifest as a host does: unknown keys are warnings, a byte order mark is skipped. The error is a
// problem of class Invalid; the report is never nil.
func Parse(data []byte) (*Manifest, *Report, error) {
	c, root := checkSchema(data, true)
	r := newReport(c.out, data)
	if err := r.Err(); err != nil {
		return nil, r, err
	}
	m, err := decode(data, root)
	if err != nil { // callers give the report's own error, with the file in it
		r.Findings = append(r.Findings, Finding{
			Rule: "manifest/type", Severity: Error, Line: 1, Column: 1, Message: "cannot be read: " + err.Error(), Source: sourceOf("manifest/type"),
		})
		return nil, r, r.Err()
	}
	return m, r, nil
}

const bom = "\xef\xbb\xbf"

// checkSchema finds what breaks the schema of the manifest's own version. The tree is nil when there is no JSON; the
// version is 0 when there is none that is known.
func checkSchema(data []byte, loose bool) (*checker, *node) {
	c := &checker{data: data, root: manifestShape(), loose: loose}
	root := c.read(data)
	if root == nil {
		return c, nil
	}
	if c.version = c.findVersion(root); c.version == 0 {
		return c, root
	}
	for _, key := range []string{"manifest_version", "dxt_version"} {
		if n := root.get(key); n != nil && n.kind == kString && n.str != c.version.String() {
			c.at("manifest/version", Error, (*place)(nil).key(key), n, fmt.Sprintf("set it to %q, or delete it", c.version),
				fmt.Sprintf("is not the version %s that the manifest is read as", c.version)).by(c.set(n, top(key), c.version.String()))
		}
	}
	c.walk(c.root, root, nil)
	return c, root
}

// read parses the text. A byte order mark becomes blanks, so that the places of all else stay and are checked too.
func (c *checker) read(data []byte) *node {
	if rest, found := bytes.CutPrefix(data, []byte(bom)); found {
		severity := Error
		if c.loose {
			severity = Warning
		}
		c.add(Finding{
			Rule: "manifest/bom", Severity: severity, EndOffset: len(bom), Message: "begins with a byte order mark, which JSON does not allow",
			Fix: `save it as "UTF-8" without BOM`,
		}).by(&repair{cuts: [][2]int{{0, len(bom)}}, before: "a byte order mark"})
		c.data = append([]byte("   "), rest...)
	}
	root, f := readTree(c.data)
	if f != nil {
		f.Severity = Error
		if kept := c.add(*f); f.Fix == trailingComma {
			kept.by(trailingCommas(c.data))
		}
		return nil
	}
	if i := invalidUTF8(c.data); i >= 0 {
		c.add(Finding{
			Rule: "manifest/encoding", Severity: Warning, Offset: i, EndOffset: i + 1, Message: "is not UTF-8 here; readers put U+FFFD in its place",
			Fix: "save it as UTF-8",
		})
	}
	return root
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// findVersion takes the first version key whose value is known, as the reference does.
func (c *checker) findVersion(root *node) version {
	if root.kind != kObject {
		c.at("manifest/type", Error, nil, root, "write it like "+c.root.example(), fmt.Sprintf("is %s, expected an object", article(root.kind)))
		return 0
	}
	for _, key := range []string{"manifest_version", "dxt_version"} {
		if s, ok := root.text(key); ok {
			if v, ok := versionOf(s); ok {
				return v
			}
		}
	}
	key := "manifest_version"
	if root.get(key) == nil && root.get("dxt_version") != nil {
		key = "dxt_version"
	}
	const fix = `write "manifest_version": "0.3", the current version of the specification`
	n, p := root.get(key), (*place)(nil).key(key)
	switch {
	case n == nil:
		c.at("manifest/version", Error, p, root, fix, "is missing").by(c.versionKey(root))
	case n.kind != kString:
		c.at("manifest/version", Error, p, n, fix, fmt.Sprintf("is %s, expected a string", article(n.kind))).by(c.versionValue(n, p))
	default:
		c.at("manifest/version", Error, p, n, fix, quote(n.str)+" is not a known version: 0.1, 0.2, 0.3 and 0.4 are").by(c.versionValue(n, p))
	}
	return 0
}
