package bundlediff

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"satchel/internal/spec"
	"satchel/internal/term"
	"satchel/mcpb/signature"
)

// risks says what a person who agreed to A should think about before agreeing to B, the worst first.
func risks(d *Difference) []spec.Risk {
	r := &riskList{list: []spec.Risk{}}
	r.identity(d)
	r.signer(d)
	for _, c := range d.Manifest {
		r.field(c)
	}
	for _, f := range d.Files {
		if f.ModeAfter != "" && executable(f.ModeAfter) && !executable(f.ModeBefore) {
			r.add(spec.Medium, "%s can be started as a program now", f.Name)
		}
	}
	slices.SortStableFunc(r.list, func(a, b spec.Risk) int { return cmp.Compare(weight(a), weight(b)) })
	return r.list
}

func weight(r spec.Risk) int { return slices.Index([]spec.Level{spec.High, spec.Medium}, r.Level) }

func executable(mode string) bool { return strings.ContainsAny(mode, "1357") }

type riskList struct{ list []spec.Risk }

func (r *riskList) add(level spec.Level, format string, args ...any) {
	risk := spec.Risk{Level: level, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(r.list, risk) {
		r.list = append(r.list, risk)
	}
}

func (r *riskList) identity(d *Difference) {
	if d.A.Name != d.B.Name {
		r.add(spec.High, "it is another extension: %s, not %s", d.B.Name, d.A.Name)
	}
	before, errA := semver.NewVersion(d.A.Version)
	after, errB := semver.NewVersion(d.B.Version)
	switch {
	case d.A.Version == d.B.Version && len(d.Files) > 0:
		r.add(spec.Medium, "the version is the same, %s, but the files are not", d.B.Version)
	case errA == nil && errB == nil && after.LessThan(before):
		r.add(spec.Medium, "the version is older: %s after %s", d.B.Version, d.A.Version)
	}
}

// signer: a folder is not signed and says nothing.
func (r *riskList) signer(d *Difference) {
	a, b := d.A.Signature, d.B.Signature
	if b == nil {
		return
	}
	if !b.Status.Intact() && b.Status != signature.Unsigned {
		r.add(spec.High, "its signature is %s", b.Status)
		return
	}
	if a == nil || !a.Status.Intact() {
		return
	}
	switch {
	case b.Status == signature.Unsigned:
		r.add(spec.High, "it is not signed any more; the other one was, by %s", subject(a))
	case a.Fingerprint != b.Fingerprint:
		r.add(spec.High, "another certificate signed it: %s, not %s", subject(b), subject(a))
	}
}

func subject(s *signature.Report) string {
	if s.Signer == nil {
		return "somebody"
	}
	return s.Signer.Subject + " (" + s.Signer.Fingerprint + ")"
}

// field weighs one change of the manifest.
func (r *riskList) field(c FieldChange) {
	at := func(i int) string {
		if i < len(c.keys) {
			key, _ := c.keys[i].(string)
			return key
		}
		return ""
	}
	switch {
	case at(0) == "server":
		r.command(c, c.keys[len(c.keys)-1])
	case at(0) == "user_config":
		r.question(c, at(1), at(2))
	case at(0) == "_meta" && at(1) == "dev.satchel" && at(2) == "permissions", at(0) == "_meta" && mentionsPermissions(c):
		r.add(spec.High, "it declares other permissions")
	case c.Topic == Tools && c.Name != "" && c.Kind == Changed:
		r.add(spec.Medium, "what it tells the model about the tool %s is different", c.Name)
	}
	if hiddenText(c.After) && !hiddenText(c.Before) {
		r.add(spec.High, "%s has characters that nobody sees", c.Path)
	}
}

func mentionsPermissions(c FieldChange) bool {
	return len(c.keys) < 3 && strings.Contains(string(c.Before)+string(c.After), `"permissions"`)
}

func (r *riskList) command(c FieldChange, key any) {
	switch key {
	case "args":
		r.add(spec.Medium, "its command has other arguments")
	case "env":
		r.add(spec.Medium, "its command has other environment variables")
	case "server", "mcp_config", "command", "entry_point", "type", "platform_overrides":
		r.add(spec.High, "it starts another program: %s", c.Path)
	default:
		if slices.Contains(c.keys, any("env")) {
			r.add(spec.Medium, "it sets %s", c.Path)
			return
		}
		r.add(spec.High, "it starts another program: %s", c.Path)
	}
}

// question weighs a change of user_config; an option that came as a whole, or with all of them, is new.
func (r *riskList) question(c FieldChange, key, part string) {
	switch {
	case key == "" && c.Kind == Added:
		var options map[string]json.RawMessage
		_ = json.Unmarshal(c.After, &options) // what is no object asks nothing
		for _, name := range slices.Sorted(maps.Keys(options)) {
			r.asks(name, options[name])
		}
	case part == "" && c.Kind == Added:
		r.asks(key, c.After)
	case part == "sensitive" && string(c.After) != "true":
		r.add(spec.High, "the answer to %s is no secret any more", key)
	case part == "type":
		r.add(spec.Medium, "%s asks for something else: %s after %s", key, c.After, c.Before)
	case part == "default":
		r.add(spec.Medium, "%s has another answer when you give none", key)
	}
}

func (r *riskList) asks(name string, option json.RawMessage) {
	var o struct {
		Type      string `json:"type"`
		Sensitive bool   `json:"sensitive"`
	}
	_ = json.Unmarshal(option, &o) // what is no option asks nothing
	switch {
	case o.Sensitive:
		r.add(spec.Medium, "it asks for a new secret: %s", name)
	case o.Type == "directory" || o.Type == "file":
		r.add(spec.Medium, "it asks for a new %s: %s", o.Type, name)
	}
}

// hiddenText tells whether a value has characters that a terminal does not show, in any of its texts.
func hiddenText(value json.RawMessage) bool {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return false
	}
	return hidden(v)
}

func hidden(v any) bool {
	switch v := v.(type) {
	case string:
		clean := strings.ReplaceAll(v, "\r\n", "\n")
		return term.Visible(clean) != clean
	case []any:
		return slices.ContainsFunc(v, hidden)
	case map[string]any:
		for key, below := range v {
			if hidden(key) || hidden(below) {
				return true
			}
		}
	}
	return false
}
