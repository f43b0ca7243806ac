package grant

import (
	"cmp"
	"slices"

	"satchel/internal/spec"
	"satchel/mcpb/manifest"
)

// A From says where an item that is asked for comes from.
type From string

// Where items come from.
const (
	FromAnswer   From = "answer"   // the person named it in an answer
	FromDeclared From = "declared" // the author declared it
	FromManifest From = "manifest" // the author wrote it: a suggestion, or a default that the person let stand
)

// A Wish is one item that an extension asks for.
type Wish struct {
	Item  Item       `json:"item"`
	From  From       `json:"from"`
	Key   string     `json:"key,omitempty"` // of the answer that names it, also where it is declared
	Level spec.Level `json:"level,omitempty"`
	Text  string     `json:"text"` // what it means
}

// A Note is what an answer or a declared item did not lead to, and why.
type Note struct {
	Key string `json:"key"` // of the answer, or the declared word
	Why string `json:"why"`
}

// Asked is what an extension asks for.
type Asked struct {
	Declared  bool   `json:"declared"`            // by its author; else derived from answers
	Wishes    []Wish `json:"wishes"`              // in canonical order
	Suggested []Wish `json:"suggested,omitempty"` // what the author wrote elsewhere; granted by name only
	Sets      []Set  `json:"sets,omitempty"`      // to choose from, where nothing could be derived
	Notes     []Note `json:"notes,omitempty"`
}

// Grant gives all that is asked for, without what is only suggested.
func (a Asked) Grant() Grant { return a.of(func(Wish) bool { return true }) }

// Answered gives the items that the person named in answers.
func (a Asked) Answered() Grant {
	return a.of(func(w Wish) bool { return w.From == FromAnswer || w.Key != "" })
}

func (a Asked) of(take func(Wish) bool) Grant {
	var items []Item
	for _, w := range a.Wishes {
		if take(w) {
			items = append(items, w.Item)
		}
	}
	return Of(items...)
}

// Split parts what is asked for into what --yes agrees to and what a person must name: what the author chose, what is
// high risk, and what is refused anyway. What is only suggested is in neither.
func (a Asked) Split() (yes, named []Wish) {
	usual := Grant{}
	for _, w := range a.Wishes {
		chosen := w.From == FromAnswer || w.Key != ""
		_, isLimit := limitOf(&usual, w.Item.kind)
		if rank(w.Level) < rank(spec.High) && (chosen || isLimit && usual.Covers(w.Item)) {
			yes = append(yes, w)
		} else {
			named = append(named, w)
		}
	}
	return yes, named
}

// Ask finds what an extension asks for: what its author declared in _meta["dev.satchel"].permissions, else what the
// answers name: folders and files to read, hosts of addresses, and in both cases the secrets that were answered. Answers
// are as package answers has them. The error is a problem: Invalid for what is declared wrongly, Refused for too much.
func Ask(mf *manifest.Manifest, answers map[string]any, m Machine) (Asked, error) {
	m.Dir = "" // nobody but a person at a command line means the folder that it was started in
	a := asker{m: m, options: mf.UserConfig, answers: answers}
	templates, declared, err := declaredIn(mf)
	if err != nil {
		return Asked{}, err
	}
	a.out.Declared = declared
	if declared {
		err = a.declared(templates)
	} else {
		a.derived()
		a.suggested(mf)
	}
	if err != nil {
		return Asked{}, err
	}
	a.secrets()
	if len(a.out.Wishes) > mostItems {
		return Asked{}, tooMany()
	}
	a.finish()
	return a.out, nil
}

// An asker collects what is asked for.
type asker struct {
	m       Machine
	options manifest.Options
	answers map[string]any
	out     Asked
	seen    map[Item]int // where an item is in the wishes
}

func (a *asker) wish(i Item, from From, key string) {
	if a.seen == nil {
		a.seen = map[Item]int{}
	}
	if at, again := a.seen[i]; again {
		if w := &a.out.Wishes[at]; w.Key == "" {
			w.Key = key
		}
		return
	}
	a.seen[i] = len(a.out.Wishes)
	a.out.Wishes = append(a.out.Wishes, Wish{Item: i, From: from, Key: key, Text: Plain(i)})
}

// mostNotes bounds what is said about answers that led to nothing.
const mostNotes = 100

func (a *asker) note(key, why string) {
	if len(a.out.Notes) < mostNotes {
		a.out.Notes = append(a.out.Notes, Note{shortened(key), why})
	}
}

// secrets: an answer that is secret is given to the extension that asked for it.
func (a *asker) secrets() {
	for _, o := range a.options {
		if !o.Sensitive || len(texts(a.answers[o.Key])) == 0 {
			continue
		}
		i, err := Parse(string(KindSecret)+":"+o.Key, a.m)
		if err != nil {
			a.note(o.Key, "the key of this secret "+reason(err))
			continue
		}
		a.wish(i, FromAnswer, o.Key)
	}
}

// finish weighs every item and offers sets where there is nothing to agree to. Items are weighed unmerged: a refused
// write must not hide a read of the same folder.
func (a *asker) finish() {
	order := map[Kind]int{}
	for n, f := range forms() {
		order[f.kind] = n
	}
	for _, list := range [][]Wish{a.out.Wishes, a.out.Suggested} {
		slices.SortFunc(list, func(x, y Wish) int {
			return cmp.Or(cmp.Compare(order[x.Item.kind], order[y.Item.kind]), cmp.Compare(x.Item.value, y.Item.value))
		})
	}
	var all Grant
	answered := a.out.Answered()
	for _, list := range [][]Wish{a.out.Wishes, a.out.Suggested} {
		for _, w := range list {
			all.add(w.Item)
		}
		levels := levelsOf(weigh(all, answered, a.m))
		for n, w := range list {
			list[n].Level = levels[w.Item]
		}
	}
	if !a.out.Declared && !slices.ContainsFunc(a.out.Wishes, func(w Wish) bool { return w.Item.kind != KindSecret }) {
		a.out.Sets = Sets(a.m)
	}
}

func levelsOf(risks []Risk) map[Item]spec.Level {
	levels := map[Item]spec.Level{}
	for _, r := range risks {
		for _, i := range r.Items {
			if rank(r.Level) > rank(levels[i]) {
				levels[i] = r.Level
			}
		}
	}
	return levels
}
