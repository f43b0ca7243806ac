package expand

import (
	"slices"
	"strconv"
	"strings"

	"satchel/mcpb/manifest"
)

const optionPrefix = "user_config."

// A value is what stands for a variable.
type value struct {
	set     bool
	list    bool
	missing bool     // required, and there is none
	items   []string // one, unless it is a list
	option  manifest.Option
}

func one(s string) value { return value{set: true, items: []string{s}} }

// empty tells whether nothing was answered: the reference's rule for required options.
func (v value) empty() bool { return len(v.items) == 0 || slices.Contains(v.items, "") }

// piece gives a text of the value, and how it is shown: a secret by its title.
func (v value) piece(text string) piece {
	if !v.option.Sensitive {
		return piece{text: text, shown: text}
	}
	return piece{text: text, shown: v.placeholder()}
}

// placeholder stands for a value that is not shown. Titles are the author's: a long one is cut, as it is not the command.
func (v value) placeholder() string {
	const most = 60
	title := []rune(v.option.Title[:min(len(v.option.Title), 4*most)])
	if len(title) > most {
		title = append(title[:most], '…')
	}
	return "<" + string(title) + ">"
}

// valuesOf gives the value of every variable: folders, separators, and the declared options.
func valuesOf(m *manifest.Manifest, in Input) map[string]value {
	fixed := fixedValues(in)
	all := make(map[string]value, len(fixed)+len(m.UserConfig))
	for name, text := range fixed {
		all[name] = one(text)
	}
	for _, o := range m.UserConfig {
		v, ok := valueOf(in.Answers[o.Key])
		if !ok {
			v, _ = valueOf(o.Default)
			for i := range v.items {
				v.items[i] = expandDefault(v.items[i], fixed)
			}
		}
		if (o.Type == manifest.Directory || o.Type == manifest.File) && !v.list && v.empty() {
			v.set = false // an empty path is no path
		}
		v.option, v.missing = o, o.Required && (!v.set || v.empty())
		all[optionPrefix+o.Key] = v
	}
	return all
}

// fixedValues are the variables that no answer changes. A folder that is not known is no variable.
func fixedValues(in Input) map[string]string {
	d := in.Dirs
	fixed := map[string]string{
		"__dirname": d.Extension, "HOME": d.Home, "DESKTOP": d.Desktop, "DOCUMENTS": d.Documents,
		"DOWNLOADS": d.Downloads, "TEMP": d.Temp, "pathSeparator": separator(in.OS), "/": separator(in.OS),
	}
	for name, text := range fixed {
		if text == "" {
			delete(fixed, name)
		}
	}
	return fixed
}

// valueOf makes a value of an answer or a default; false for nil and what no option can have.
func valueOf(v any) (value, bool) {
	switch v := v.(type) {
	case string:
		return one(v), true
	case bool:
		return one(strconv.FormatBool(v)), true
	case float64:
		return one(strconv.FormatFloat(v+0, 'f', -1, 64)), true // +0 makes zero of a negative zero
	case int:
		return one(strconv.Itoa(v)), true
	case []string:
		return value{set: true, list: true, items: slices.Clone(v)}, true
	case []any:
		list := value{set: true, list: true}
		for _, item := range v {
			if one, ok := valueOf(item); ok {
				list.items = append(list.items, one.items...)
			}
		}
		return list, true
	}
	return value{}, false
}

// expandDefault puts folders and separators into a default, in one pass. Options are not looked up there.
func expandDefault(s string, fixed map[string]string) string {
	var b strings.Builder
	for b.Len() <= maxBytes {
		before, name, after, found := cutVariable(s)
		b.WriteString(before)
		if !found {
			break
		}
		text, ok := fixed[name]
		if !ok {
			text = "${" + name + "}"
		}
		b.WriteString(text)
		s = after
	}
	return b.String()
}

func separator(os string) string {
	if os == "windows" {
		return `\`
	}
	return "/"
}

func listSeparator(os string) string {
	if os == "windows" {
		return ";"
	}
	return ":"
}
