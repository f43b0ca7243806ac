// Package answers checks the values that a person gives for an extension's user_config: types, ranges, paths that must
// be there. What passes is typed as package expand takes it.
package answers

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// Values are answers by the option's key: string, float64, bool or []string.
type Values map[string]any

// Parse reads KEY=VALUE pairs against the options. The same key again makes a list where the option allows one. Paths
// become absolute, with ~ for home; they must exist. Errors are problems: Usage for an unknown key or no KEY=VALUE,
// NeedsConfig for a value that the option refuses.
func Parse(options manifest.Options, pairs []string, home string) (Values, error) {
	values := Values{}
	for _, pair := range pairs {
		key, text, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, problem.New(problem.Usage, "answers/pair", "an answer is KEY=VALUE").At(pair)
		}
		o, known := options.Get(key)
		if !known {
			return nil, unknownKey(options, key)
		}
		v, err := parse(o, text, home)
		if err != nil {
			return nil, err
		}
		old, again := values[key]
		switch {
		case o.Multiple:
			list, _ := old.([]string)
			values[key] = append(list, Text(v))
		case again:
			return nil, refuse(o, "takes one value, and was given twice")
		default:
			values[key] = v
		}
	}
	return values, nil
}

func unknownKey(options manifest.Options, key string) error {
	p := problem.New(problem.Usage, "answers/key", "the extension does not ask for this").At(key)
	if len(options) == 0 {
		return p.Try("it asks for nothing")
	}
	var keys []string
	for _, o := range options {
		keys = append(keys, o.Key)
	}
	return p.Try("it asks for: %s", strings.Join(keys, ", "))
}

func refuse(o manifest.Option, format string, args ...any) error {
	return problem.New(problem.NeedsConfig, "answers/value", format, args...).At(o.Key).Try("%s: %s", o.Title, o.Description)
}

// parse reads one value. Options that are multiple give text: one item of the list.
func parse(o manifest.Option, text, home string) (any, error) {
	switch o.Type {
	case manifest.Number:
		return parseNumber(o, text)
	case manifest.Boolean:
		v, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, refuse(o, "%q is neither true nor false", text)
		}
		return v, nil
	case manifest.Directory, manifest.File:
		return parsePath(o, text, home)
	}
	if strings.Contains(text, "\x00") {
		return nil, refuse(o, "holds a NUL, which no program can be given")
	}
	return text, nil
}

func parseNumber(o manifest.Option, text string) (any, error) {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || f != f || f > 1e300 || f < -1e300:
		return nil, refuse(o, "%q is no number", text)
	case o.Min != nil && f < *o.Min:
		return nil, refuse(o, "%v is smaller than %v", f, *o.Min)
	case o.Max != nil && f > *o.Max:
		return nil, refuse(o, "%v is larger than %v", f, *o.Max)
	}
	return f, nil
}

// parsePath gives the absolute path without links, so that what was agreed to cannot be exchanged by changing a link.
func parsePath(o manifest.Option, text, home string) (any, error) {
	if text == "" {
		return "", nil
	}
	if rest, ok := strings.CutPrefix(text, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		text = home + rest
	}
	abs, err := filepath.Abs(text)
	if err != nil {
		return nil, refuse(o, "%q is no path", text)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, refuse(o, "there is no %s %q", kindOf(o), abs)
	}
	info, err := os.Stat(real)
	if err != nil || info.IsDir() != (o.Type == manifest.Directory) {
		return nil, refuse(o, "%q is no %s", real, kindOf(o))
	}
	return real, nil
}

func kindOf(o manifest.Option) string {
	if o.Type == manifest.Directory {
		return "folder"
	}
	return "file"
}

// Missing lists the required options without a value or a default, in the author's order.
func Missing(options manifest.Options, values Values) []manifest.Option {
	var missing []manifest.Option
	for _, o := range options {
		v, answered := values[o.Key]
		if !answered {
			v = o.Default
		}
		if o.Required && blank(v) {
			missing = append(missing, o)
		}
	}
	return missing
}

func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0 || slices.Contains(v, "")
	}
	return false
}

// Kept gives those values that the options of another version still take, as they were given. Secrets are left out
// unless secrets is true: only the same signer may inherit them.
func Kept(options manifest.Options, values Values, secrets bool) Values {
	kept := Values{}
	for key, v := range values {
		o, ok := options.Get(key)
		if !ok || o.Sensitive && !secrets || !fits(o, v) {
			continue
		}
		kept[key] = v
	}
	return kept
}

func fits(o manifest.Option, v any) bool {
	switch v := v.(type) {
	case []string:
		return o.Multiple
	case float64:
		return o.Type == manifest.Number && !o.Multiple && (o.Min == nil || v >= *o.Min) && (o.Max == nil || v <= *o.Max)
	case bool:
		return o.Type == manifest.Boolean
	case string:
		return o.Type != manifest.Number && o.Type != manifest.Boolean && !o.Multiple
	}
	return false
}

// Split parts the values into those that may be shown and the secrets.
func Split(options manifest.Options, values Values) (open, secret Values) {
	open, secret = Values{}, Values{}
	for key, v := range values {
		if o, ok := options.Get(key); ok && o.Sensitive {
			secret[key] = v
		} else {
			open[key] = v
		}
	}
	return open, secret
}

// Join puts open values and secrets together again.
func Join(open, secret Values) Values {
	all := maps.Clone(open)
	if all == nil {
		all = Values{}
	}
	maps.Copy(all, secret)
	return all
}

// Restore types values that were read from JSON.
func Restore(raw map[string]any) Values {
	values := Values{}
	for key, v := range raw {
		if list, ok := v.([]any); ok {
			texts := make([]string, 0, len(list))
			for _, item := range list {
				texts = append(texts, fmt.Sprint(item))
			}
			v = texts
		}
		values[key] = v
	}
	return values
}

// Text shows a value on one line.
func Text(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, ", ")
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// Known gives nil when there is an option of this key, else the problem that says which there are.
func Known(options manifest.Options, key string) error {
	if _, ok := options.Get(key); ok {
		return nil
	}
	return unknownKey(options, key)
}
