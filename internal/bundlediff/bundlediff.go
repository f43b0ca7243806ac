// Package bundlediff tells two bundles, or a bundle and the folder that it is made of, apart: what a person who agreed to
// the first should know before agreeing to the second. Use it for what shows or judges an update.
//
// [Open] opens a side, [Compare] compares two, [Text] compares one text file in both. Nothing is written or run. Bundles are
// hostile: package mcpb refuses those that break a rule, content is read as a stream and only its digest is kept. Texts
// in a [Difference] are the authors'; whoever shows them makes them safe.
package bundlediff

import (
	"context"
	"encoding/json"

	"satchel/internal/spec"
	"satchel/mcpb/signature"
)

// A Difference is what differs between two sides, A the older one and B the newer one. Lists are never nil.
type Difference struct {
	Same     bool          `json:"same"` // files, modes, manifest and signer
	A        About         `json:"a"`
	B        About         `json:"b"`
	Risks    []spec.Risk   `json:"risks"`    // the worst first
	Manifest []FieldChange `json:"manifest"` // in the order of the paths
	Files    []FileChange  `json:"files"`    // in the order of the names
}

// About is what a side is.
type About struct {
	Path      string            `json:"path"`
	Folder    bool              `json:"folder,omitempty"`
	Name      string            `json:"name"`    // the manifest's
	Version   string            `json:"version"` // the manifest's
	Files     int               `json:"files"`
	Bytes     int64             `json:"bytes"`     // of all files
	Signature *signature.Report `json:"signature"` // nil for a folder
}

// A Kind is how something differs.
type Kind string

// The kinds.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
	Moved   Kind = "moved" // a file of another name with the same content; a list in another order
	Mode    Kind = "mode"  // only the permission bits of a file
)

// A Topic is what a change of the manifest is about.
type Topic string

// The topics.
const (
	Permissions Topic = "permissions" // what it may do: command, questions, platforms, declared permissions
	Tools       Topic = "tools"
	Prompts     Topic = "prompts"
	Texts       Topic = "texts" // all else
)

// A FieldChange is one value of the manifest that differs.
type FieldChange struct {
	Path   string          `json:"path"` // as in a finding: of B, or of A when it was removed
	Topic  Topic           `json:"topic"`
	Kind   Kind            `json:"kind"`
	Name   string          `json:"name,omitempty"`   // of the tool or the prompt
	Before json.RawMessage `json:"before,omitempty"` // A's value
	After  json.RawMessage `json:"after,omitempty"`  // B's value
	keys   []any
}

// A FileChange is one file that differs. Sizes are bytes, modes octal permission bits.
type FileChange struct {
	Name       string `json:"name"`
	Kind       Kind   `json:"kind"`
	From       string `json:"from,omitempty"` // the name that a moved file had
	SizeBefore int64  `json:"sizeBefore,omitempty"`
	SizeAfter  int64  `json:"sizeAfter,omitempty"`
	ModeBefore string `json:"modeBefore,omitempty"`
	ModeAfter  string `json:"modeAfter,omitempty"`
}

// Compare reads both sides. The error is that of reading, or a problem of class Invalid for a manifest that no host
// reads.
func Compare(ctx context.Context, a, b *Side) (*Difference, error) {
	d := &Difference{A: a.about, B: b.about, Risks: []spec.Risk{}, Manifest: []FieldChange{}}
	var err error
	if d.Manifest, err = compareManifests(a.manifest, b.manifest); err != nil {
		return nil, err
	}
	if d.Files, err = compareFiles(ctx, a, b); err != nil {
		return nil, err
	}
	d.Risks = risks(d)
	d.Same = len(d.Manifest) == 0 && len(d.Files) == 0 && sameSigner(d.A.Signature, d.B.Signature)
	return d, nil
}

// sameSigner compares who signed; a folder, which nobody can sign, differs from nothing.
func sameSigner(a, b *signature.Report) bool {
	if a == nil || b == nil {
		return true
	}
	return a.Fingerprint == b.Fingerprint && a.Status.Intact() == b.Status.Intact()
}
