package expand

import (
	"strconv"
	"strings"

	"satchel/mcpb/manifest"
)

// A value is what stands for a variable.
type value struct {
	set    bool
	list   bool
	items  []string // one, unless it is a list
	option manifest.Option
}

func one(s string) value { return value{set: true, items: []string{s}} }

// empty tells whether nothing was answered: the reference's rule for required options.
func (v value) empty() bool {
	for _, s := range v.items {
		if s == "" {
			return true
		}
	}
	return len(v.items) == 0
}

// shown is how a value is shown: a secret by its title.
func (v value) shown(text string) string {
	if !v.option.Sensitive {
		return text
	}
	return "<" + v.option.Title + ">"
}

// valuesOf gives the value of every variable: folders, separators, and the declared options.
func valuesOf(m *manifest.Manifest, in Input) map[string]value {
	d := in.Dirs
	fixed := map[string]value{
		"__dirname": one(d.Extension), "HOME": one(d.Home), "DESKTOP": one(d.Desktop), "DOCUMENTS": one(d.Documents),
		"DOWNLOADS": one(d.Downloads), "TEMP": one(d.Temp), "pathSeparator": one(separator(in.OS)), "/": one(separator(in.OS)),
	}
	all := make(map[string]value, len(fixed)+len(m.UserConfig))
	for name, v := range fixed {
		all[name] = v
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
		v.option = o
		all["user_config."+o.Key] = v
	}
	return all
}

// valueOf makes a value of an answer or a default; false for nil and what no option can have.
func valueOf(v any) (value, bool) {
	switch v := v.(type) {
	case string:
		return one(v), true
	case bool:
		return one(strconv.FormatBool(v)), true
	case float64:
		return one(number(v)), true
	case int:
		return one(strconv.Itoa(v)), true
	case []string:
		return value{set: true, list: true, items: append([]string{}, v...)}, true
	case []any:
		list := value{set: true, list: true}
		for _, item := range v {
			if s, ok := item.(string); ok {
				list.items = append(list.items, s)
			}
		}
		return list, true
	}
	return value{}, false
}

// number writes a number as JavaScript does: whole numbers below 1e21 without an exponent.
func number(f float64) string {
	if f > -1e21 && f < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// expandDefault puts folders and separators into a default, in one pass. Options are not looked up there.
func expandDefault(s string, fixed map[string]value) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !found || !closed {
			b.WriteString(s[len(before):])
			return b.String()
		}
		if v, ok := fixed[name]; ok {
			b.WriteString(v.items[0])
			s = after
		} else {
			b.WriteString("${")
			s = rest
		}
	}
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
