package grant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spell"
	"satchel/mcpb/manifest"
)

const metaKey, permissionsKey = "dev.satchel", "permissions"

// mostDeclared bounds what an author can declare: a person reads it all.
const mostDeclared = 100

// A template is a declared item, before the variable in it has a value.
type template struct {
	kind     Kind
	pre      string // what stands before the variable, or all of it
	variable string // such as "user_config.folder" or "HOME"; empty: none
	post     string
	at       string // where it stands
}

func (t template) String() string {
	value := t.pre
	if t.variable != "" {
		value += "${" + t.variable + "}" + t.post
	}
	return Item{t.kind, value}.String()
}

// Validate checks what a manifest declares, as far as that can be said without answers; for authors and reviewers. The
// error is a problem of class Invalid.
func Validate(mf *manifest.Manifest) error {
	_, _, err := declaredIn(mf)
	return err
}

// declaredIn reads _meta["dev.satchel"].permissions: an object with a list for each kind of item, the value of a limit,
// or true. Keys that mean nothing are errors: a permission that is not understood must not be lost silently.
func declaredIn(mf *manifest.Manifest) (list []template, declared bool, err error) {
	raw, declared := mf.Meta[metaKey][permissionsKey]
	if !declared {
		return nil, false, nil
	}
	r := reader{options: mf.UserConfig}
	if err := r.object(raw); err != nil {
		return nil, true, err
	}
	if n := len(r.list); n > mostDeclared {
		return nil, true, wrong("", "declares %d items: at most %d", n, mostDeclared)
	}
	return r.list, true, nil
}

func wrong(at, format string, args ...any) *problem.Problem {
	where := fmt.Sprintf("_meta[%q].%s%s", metaKey, permissionsKey, shortened(at))
	return problem.New(problem.Invalid, "grant/declared", format, args...).At(where).From("docs/permissions.md")
}

// A reader collects templates.
type reader struct {
	options manifest.Options
	list    []template
}

func (r *reader) object(raw json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return wrong("", "is no object")
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return wrong("", "is no JSON").Because(err)
		}
		key, _ := token.(string) // a key is always one
		if seen[key] {
			return wrong("."+key, "is there twice")
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return wrong("."+key, "is no JSON").Because(err)
		}
		if err := r.key(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return wrong("", "is no JSON").Because(err)
	}
	return nil
}

// key reads the items of one kind.
func (r *reader) key(key string, value json.RawMessage) error {
	k, at := Kind(key), "."+key
	var g Grant
	f, known := formOf(k)
	switch _, isLimit := limitOf(&g, k); {
	case !known || k == KindSecret:
		return unknownKey(key)
	case f.parse == nil:
		if string(value) != "true" {
			return wrong(at, "is true or is not there")
		}
		r.list = append(r.list, template{kind: k, at: at})
		return nil
	case isLimit:
		return r.item(k, value, at)
	}
	var items []json.RawMessage
	if json.Unmarshal(value, &items) != nil || items == nil {
		return wrong(at, "is no list")
	}
	for n, item := range items {
		if err := r.item(k, item, fmt.Sprintf("%s[%d]", at, n)); err != nil {
			return err
		}
	}
	return nil
}

func unknownKey(key string) error {
	var known []string
	for _, f := range forms() {
		if f.kind != KindSecret {
			known = append(known, string(f.kind))
		}
	}
	p := wrong("."+key, "is no permission that can be declared")
	if key == string(KindSecret) {
		return p.Try("secret answers are given to the extension that asks for them")
	}
	if near := spell.Nearest(key, known); near != "" {
		return p.Try("did you mean %q?", near)
	}
	return p.Try("there are %s", strings.Join(known, ", "))
}

// item reads a text, or a whole number where the kind has numbers.
func (r *reader) item(k Kind, raw json.RawMessage, at string) error {
	var text string
	if json.Unmarshal(raw, &text) != nil || raw[0] != '"' {
		var n uint64
		if json.Unmarshal(raw, &n) != nil || !slices.Contains([]Kind{KindPort, KindProcesses, KindOpenFiles}, k) || raw[0] == 'n' {
			return wrong(at, "is no text")
		}
		text = fmt.Sprint(n)
	}
	t, err := r.template(k, text, at)
	if err == nil && len(r.list) <= mostDeclared {
		r.list = append(r.list, t)
	}
	return err
}

// template finds the one variable that an item may hold: with two, lists in the answers would multiply.
func (r *reader) template(k Kind, text, at string) (template, error) {
	t := template{kind: k, pre: text, at: at}
	pre, rest, found := strings.Cut(text, "${")
	if !found {
		return t, t.literal()
	}
	name, post, closed := strings.Cut(rest, "}")
	if !closed || strings.Contains(post, "${") || strings.Contains(name, "${") {
		return t, wrong(at, "an item holds at most one variable, such as ${user_config.folder}")
	}
	t.pre, t.variable, t.post = pre, name, post
	key, isOption := strings.CutPrefix(name, "user_config.")
	if !isOption {
		if _, known := (Machine{}).folder(name); !known {
			return t, wrong(at, "there is no variable ${%s}", shortened(name)).Try("there are ${user_config.KEY}, ${HOME}, ${DESKTOP}, ${DOCUMENTS}, ${DOWNLOADS}")
		}
		return t, nil
	}
	if o, ok := r.options.Get(key); ok {
		if o.Sensitive && (k != KindNet || pre != "" || post != "") {
			return t, wrong(at, "holds a secret answer, which must not be shown").Try("a secret may stand alone under net, for the host of an address")
		}
		return t, nil
	}
	var keys []string
	for _, o := range r.options {
		keys = append(keys, o.Key)
	}
	p := wrong(at, "user_config has no %q", shortened(key))
	if near := spell.Nearest(key, keys); near != "" {
		p = p.Try("did you mean ${user_config.%s}?", near)
	}
	return t, p
}

// literal checks an item that holds no variable. A path may be one of any system: on others it says nothing.
func (t template) literal() error {
	linux, windows := Machine{OS: "linux"}, Machine{OS: "windows"}
	linux.User.Home, windows.User.Home = "/home/user", `C:\Users\user`
	_, err := Parse(t.String(), linux)
	if err == nil {
		return nil
	}
	if _, err := Parse(t.String(), windows); err == nil && t.isPath() {
		return nil
	}
	return wrong(t.at, "%s", reason(err))
}

func (t template) isPath() bool {
	return slices.Contains([]Kind{KindRead, KindWrite, KindRun, KindSocket}, t.kind)
}

// reason is what a word was refused for, without the word.
func reason(err error) string {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Cause != nil {
		return p.Cause.Error()
	}
	return err.Error()
}

// folder gives a folder of the person by the name of its variable.
func (m Machine) folder(name string) (dir string, known bool) {
	switch name {
	case "HOME":
		return m.User.Home, true
	case "DESKTOP":
		return m.User.Desktop, true
	case "DOCUMENTS":
		return m.User.Documents, true
	case "DOWNLOADS":
		return m.User.Downloads, true
	}
	return "", false
}
