package manifest

import (
	"fmt"
	"io/fs"
	"strings"

	"satchel/internal/problem"
)

// Checks say what [Validate] looks at beside the schema.
type Checks struct {
	SchemaOnly bool  // only what the reference checks
	Files      fs.FS // the folder or bundle of the manifest: what it names must be there; nil: not looked at
}

// Validate checks a manifest strictly, for its author.
func Validate(data []byte, checks Checks) *Report {
	r, root, v := checkSchema(data, false)
	if root != nil && root.kind == kObject && v != 0 && !checks.SchemaOnly {
		if m, err := decode(data, root); err == nil {
			r.Findings = append(r.Findings, checkMeaning(m, root, checks.Files)...)
		}
	}
	r.finish(data)
	return r
}

// Parse reads a manifest as a host does: unknown keys are warnings, a byte order mark is skipped. The error is a
// problem of class Invalid; the report is never nil.
func Parse(data []byte) (*Manifest, *Report, error) {
	body := strings.TrimPrefix(string(data), "\ufeff")
	skipped := len(data) - len(body)
	r, root, _ := checkSchema([]byte(body), true)
	for i := range r.Findings {
		r.Findings[i].Offset += skipped
		r.Findings[i].EndOffset += skipped
	}
	if skipped > 0 {
		r.Findings = append(r.Findings, Finding{Rule: "manifest/bom", Severity: Warning, Message: "begins with a byte order mark", EndOffset: skipped})
	}
	r.finish(data)
	if err := r.Err(); err != nil {
		return nil, r, err
	}
	m, err := decode([]byte(body), root)
	if err != nil {
		return nil, r, problem.New(problem.Invalid, "manifest/type", "cannot be read").Because(err)
	}
	return m, r, nil
}

// checkSchema finds what breaks the schema of the manifest's own version; the version is 0 when there is none.
func checkSchema(data []byte, loose bool) (*Report, *node, version) {
	root, f := readTree(data)
	if f != nil {
		return &Report{Findings: []Finding{*f}}, nil, 0
	}
	c := &checker{loose: loose}
	if c.version = c.findVersion(root); c.version == 0 {
		return &Report{Findings: c.out}, root, 0
	}
	for _, key := range []string{"manifest_version", "dxt_version"} {
		if n := root.get(key); n != nil && (n.kind != kString || n.str != c.version.String()) {
			c.at("manifest/version", key, n, Error, fmt.Sprintf("set it to %q, or delete it", c.version), "is not the version %s that the manifest is read as", c.version)
		}
	}
	c.walk(manifestShape(), root, "")
	return &Report{Findings: c.out}, root, c.version
}

// findVersion takes the first version key whose value is known, as the reference does.
func (c *checker) findVersion(root *node) version {
	if root.kind != kObject {
		c.at("manifest/type", "", root, Error, "", "is %s, expected an object", article(root.kind))
		return 0
	}
	for _, key := range []string{"manifest_version", "dxt_version"} {
		if n := root.get(key); n != nil && n.kind == kString {
			if v, ok := versionOf(n.str); ok {
				return v
			}
		}
	}
	n := root.get("manifest_version")
	if n == nil {
		n = root.get("dxt_version")
	}
	const fix = `"manifest_version": "0.3" is understood by most hosts`
	switch {
	case n == nil:
		c.add("manifest/version", "manifest_version", root.start, root.start+1, Error, fix, "is missing")
	case n.kind != kString:
		c.at("manifest/version", "manifest_version", n, Error, fix, "is %s, expected a string", article(n.kind))
	default:
		c.at("manifest/version", "manifest_version", n, Error, fix, "%q is not a version that is known: 0.1, 0.2, 0.3, 0.4", n.str)
	}
	return 0
}
