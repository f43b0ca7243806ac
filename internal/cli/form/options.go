package form

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"charm.land/huh/v2"

	"satchel/mcpb/manifest"
)

// How the server gets the answer to an option.
const (
	passEnv  = "env"
	passArg  = "arg"
	passNone = "none"
)

func (a *answers) asksOption(i int) bool {
	return *a.wants("options", false) && (i == 0 || a.options[i-1].another && a.asksOption(i-1))
}

func (a *answers) optionPages() []page {
	wanted, known := a.wants("options", false), len(a.draft.UserConfig)
	list := []page{
		keep("options that the user is asked for", known, &a.keepOptions),
		{fields: []huh.Field{confirm("Add options that the user is asked for?", wanted)}},
	}
	for i := range a.options {
		list = append(list, a.optionPage(i)...)
	}
	return list
}

// optionPage asks in steps, because what is asked depends on the type.
func (a *answers) optionPage(i int) []page {
	o := a.options[i]
	asks := func(when func() bool) func() bool { return func() bool { return a.asksOption(i) && when() } }
	kinds := huh.NewSelect[string]().Title("Type:").Value(&o.kind).Options(
		huh.NewOption("Text", manifest.String), huh.NewOption("Number", manifest.Number), huh.NewOption("Yes or no", manifest.Boolean),
		huh.NewOption("Folder", manifest.Directory), huh.NewOption("File", manifest.File),
	)
	pass := huh.NewSelect[string]().Title("How does the server get it?").Value(&o.pass).Options(
		huh.NewOption("As an environment variable", passEnv), huh.NewOption("As an argument, which other programs can see", passArg), huh.NewOption("I write that myself", passNone),
	)
	end := []huh.Field{pass}
	list := []page{
		{title: fmt.Sprintf("Option %d", i+1), shown: asks(yes), fields: []huh.Field{
			a.input("Key, such as api_key", &o.key, needed(a.freeKey(i))), kinds,
			a.input("Title, as the user sees it", &o.title, needed(anything)),
			a.input("Description, as the user sees it", &o.description, needed(anything)),
			confirm("Is an answer required?", &o.required),
		}},
		{shown: asks(func() bool { return o.kind == manifest.String }), fields: []huh.Field{confirm("Is it a secret, such as a password?", &o.sensitive)}},
		{shown: asks(o.mayBeMany), fields: []huh.Field{confirm("May the user give several?", &o.multiple)}},
		{shown: asks(func() bool { return o.kind == manifest.Number }), fields: []huh.Field{
			a.input("Smallest number (optional)", &o.low, number), a.input("Largest number (optional)", &o.high, o.checkHigh),
		}},
		{shown: asks(func() bool { return !o.required && !o.sensitive }), fields: []huh.Field{a.input("Default (optional)", &o.fallback, o.checkDefault)}},
		{shown: asks(yes), fields: end},
		{shown: asks(func() bool { return o.pass == passEnv }), fields: []huh.Field{
			a.input("Name of the variable (empty: the key in capitals)", &o.envAs, variable),
		}},
	}
	if i < len(a.options)-1 {
		list = append(list, page{shown: asks(yes), fields: []huh.Field{confirm("Add another option?", &o.another)}})
	}
	return list
}

func yes() bool { return true }

func (o *option) mayBeMany() bool {
	return !o.sensitive && (o.kind == manifest.String || o.kind == manifest.Directory || o.kind == manifest.File)
}

func (a *answers) freeKey(i int) func(string) error {
	return func(s string) error {
		s = trim(s)
		if !isKey(s) {
			return errors.New("write letters, digits and _, a letter first")
		}
		for _, o := range a.options[:i] {
			if trim(o.key) == s {
				return errors.New("is the key of another option")
			}
		}
		if _, taken := a.draft.UserConfig.Get(s); taken && a.keepOptions {
			return errors.New("is the key of another option")
		}
		return nil
	}
}

func number(s string) error {
	if s = trim(s); s == "" {
		return nil
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil {
		return errors.New("is no number")
	}
	return nil
}

func (o *option) checkHigh(s string) error {
	if err := number(s); err != nil {
		return err
	}
	tried := *o
	tried.high = s
	return tried.refused()
}

func (o *option) checkDefault(s string) error {
	tried := *o
	tried.fallback = s
	return tried.refused()
}

// refused asks the rules for manifests about the option.
func (o *option) refused() error {
	return refusal(func(m *manifest.Manifest, _ string) {
		made := o.make()
		made.Key, made.Title, made.Description = "x", "x", "x"
		m.UserConfig = manifest.Options{made}
		m.Server.MCPConfig.Args = []string{"${user_config.x}"}
	})("x")
}

func variable(s string) error {
	if s = trim(s); s != "" && (strings.ContainsAny(s, "= ${}\x00") || s[0] >= '0' && s[0] <= '9') {
		return errors.New("is no name of a variable")
	}
	return nil
}

func (o *option) make() manifest.Option {
	out := manifest.Option{
		Key: trim(o.key), Type: o.kind, Title: trim(o.title), Description: trim(o.description),
		Required: o.required, Multiple: o.multiple && o.mayBeMany(), Sensitive: o.sensitive && o.kind == manifest.String,
	}
	if o.kind == manifest.Number {
		out.Min, out.Max = numberOf(o.low), numberOf(o.high)
	}
	if !out.Required && !out.Sensitive {
		out.Default = o.readDefault()
	}
	return out
}

func numberOf(s string) *float64 {
	n, err := strconv.ParseFloat(trim(s), 64)
	if err != nil {
		return nil
	}
	return &n
}

// userConfig puts the options into the manifest, and their answers into the command of the server.
func (a *answers) userConfig(m *manifest.Manifest) {
	options := slices.Clone(m.UserConfig)
	if !a.keepOptions {
		options = nil
	}
	for i, o := range a.options {
		if !a.asksOption(i) || trim(o.key) == "" {
			continue
		}
		options = append(options, o.make())
		o.give(m)
	}
	m.UserConfig = options
}

// give changes a copy of the command: the draft's is left as it is.
func (o *option) give(m *manifest.Manifest) {
	config := *m.Server.MCPConfig
	value := "${user_config." + trim(o.key) + "}"
	switch o.pass {
	case passArg:
		config.Args = append(slices.Clone(config.Args), value)
	case passEnv:
		name := trim(o.envAs)
		if name == "" {
			name = strings.ToUpper(trim(o.key))
		}
		if config.Env = maps.Clone(config.Env); config.Env == nil {
			config.Env = map[string]string{}
		}
		config.Env[name] = value
	}
	m.Server.MCPConfig = &config
}
