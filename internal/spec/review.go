package spec

import (
	"fmt"
	"io"
	"strings"

	"satchel/internal/problem"
	"satchel/internal/term"
)

// A Level is how much a risk weighs.
type Level string

// The levels of risk, the worst first.
const (
	High   Level = "high"
	Medium Level = "medium"
)

// A Risk is something that a person should know before agreeing.
type Risk struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// NotSandboxed is the risk of an extension that is started without a sandbox.
const NotSandboxed = "NOT SANDBOXED: it runs with all your rights, like a program that you start yourself"

// A Permission is something that an extension asks for or was granted.
type Permission struct {
	Word    string `json:"word"`            // what --grant takes
	Text    string `json:"text"`            // what it means
	From    string `json:"from"`            // answer, declared, manifest, or person: who named it
	Level   Level  `json:"level,omitempty"` // its risk
	Asked   bool   `json:"asked"`           // else it is only suggested by the author, or was added by the person
	New     bool   `json:"new,omitempty"`   // the version that is there does not ask for it
	Granted bool   `json:"granted"`         // when the review is agreed to
}

// An Answer is a value that the server will get; a secret's Value is "***".
type Answer struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Value  string `json:"value"`
	Secret bool   `json:"secret,omitempty"`
	Path   bool   `json:"path,omitempty"` // a folder or a file
}

// A Review is what a person agrees to before anything of a bundle runs. Texts are the author's where a field says so.
type Review struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`   // the author's
	Version   string   `json:"version"` // the author's
	Author    string   `json:"author"`  // the author's: proves nothing
	Source    string   `json:"source"`
	Digest    string   `json:"digest"`
	Signature string   `json:"signature"`
	Replaces  string   `json:"replaces,omitempty"` // the version that is there now
	Command   []string `json:"command"`            // exact, untruncated; secrets by title
	Env       []string `json:"env"`                // what the manifest sets, KEY=VALUE; secrets by title
	Dir       string   `json:"dir"`
	Answers   []Answer `json:"answers"`
	Missing   []string `json:"missing"`  // required options without an answer
	Without   []string `json:"without"`  // arguments and KEY=VALUE of the manifest that go away: an option has no value
	Forgets   []Answer `json:"forgets"`  // answers to the version that is there that this one does not inherit; without Value
	Warnings  []string `json:"warnings"` // about the manifest
	Risks     []Risk   `json:"risks"`

	Permissions []Permission `json:"permissions"`
	Notes       []string     `json:"notes"`          // what of the answers and of the declaration led to no permission, and why
	Tools       []string     `json:"tools"`          // what the author says that it offers
	Sandbox     string       `json:"sandbox"`        // how it will be held; "none"
	Enforced    string       `json:"enforced"`       // what the probe found of that on this machine
	Open        []string     `json:"open,omitempty"` // what it found open
}

// Render shows the review, the risks first. It is the one renderer for terminals.
func (r *Review) Render(w io.Writer, color bool) {
	o := &term.Out{Writer: w, Color: color}
	line := func(label, value string) {
		if value != "" {
			o.Printf("  %-10s %s\n", label, term.VisibleLine(value))
		}
	}
	o.Printf("%s\n", o.Bold(term.VisibleLine(r.Title)+" "+term.VisibleLine(r.Version)))
	for _, risk := range r.Risks {
		mark := o.Yellow("  ! ")
		if risk.Level == High {
			mark = o.Red(" !! ")
		}
		o.Printf("%s%s\n", mark, term.VisibleLine(risk.Text))
	}
	line("id", r.ID)
	line("replaces", r.Replaces)
	line("author", r.Author+" (self-declared)")
	line("signature", r.Signature)
	line("from", r.Source)
	line("digest", r.Digest)
	line("runs", problem.Words(r.Command...))
	line("in", r.Dir)
	for _, e := range r.Env {
		line("with", e)
	}
	for _, a := range r.Answers {
		line("gets", a.Title+": "+a.Value)
	}
	r.permissions(line)
	for _, m := range r.Missing {
		line("needs", m+" (not answered yet)")
	}
	line("without", short(problem.Words(r.Without...)))
	for _, a := range r.Forgets {
		why := "the answer that is there does not fit any more"
		if a.Secret {
			why = "another bundle does not inherit a secret: give it again"
		}
		line("forgets", a.Title+" ("+why+")")
	}
	for i, w := range r.Warnings {
		if i == mostWarnings {
			line("manifest", fmt.Sprintf("%d more like these: satchel validate shows them", len(r.Warnings)-i))
			break
		}
		line("manifest", short(w))
	}
}

// permissions shows what it may do, what it asks for beside, and what holds it to that.
func (r *Review) permissions(line func(label, value string)) {
	if r.Sandbox != "none" {
		line("allowed", "runs its own files, writes to its own folder")
	}
	for _, p := range r.Permissions {
		text := p.Text
		if p.New {
			text += ", which is new in this version"
		}
		switch {
		case p.Granted:
			line("allowed", text)
		case p.Asked:
			line("asks for", text+" (not granted; "+problem.Words("--grant", p.Word)+")")
		}
	}
	suggested := 0
	for _, p := range r.Permissions {
		if p.Granted || p.Asked {
			continue
		}
		if suggested++; suggested > mostWarnings {
			line("suggested", "more like these")
			break
		}
		line("suggested", short(p.Text+" (not granted; "+problem.Words("--grant", p.Word)+")"))
	}
	for n, note := range r.Notes {
		if n == mostWarnings {
			line("note", fmt.Sprintf("%d more like these", len(r.Notes)-n))
			break
		}
		line("note", short(note))
	}
	line("sandbox", r.Enforced)
	for _, o := range r.Open {
		line("open", o)
	}
	line("offers", short(strings.Join(r.Tools, ", ")))
}

// What is shown of things that nobody agrees to is cut, so that an author cannot push the risks out of sight with it.
const (
	mostWarnings = 10
	mostLetters  = 300
)

func short(s string) string {
	if r := []rune(s); len(r) > mostLetters {
		return string(r[:mostLetters]) + "..."
	}
	return s
}
