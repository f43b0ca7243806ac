package answers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"satchel/internal/problem"
	"satchel/mcpb/manifest"
)

// Parse reads KEY=VALUE pairs against the options. The same key again makes a list where the option allows one, and
// "KEY=" alone the empty list. Paths become absolute and free of links, with ~ for home; they must exist. Errors are
// problems: Usage for an unknown key or no KEY=VALUE, NeedsConfig for a value that the option refuses. They do not repeat
// the values of secrets.
func Parse(options manifest.Options, pairs []string, home string) (Values, error) {
	values := Values{}
	for _, pair := range pairs {
		key, text, ok := strings.Cut(pair, "=")
		o, known := options.Get(key)
		if !ok {
			p := problem.New(problem.Usage, "answers/pair", "an answer is KEY=VALUE")
			if known {
				return nil, p.At(key)
			}
			return nil, p // not named: it may be a secret
		}
		if !known {
			return nil, unknownKey(options, key)
		}
		old, again := values[key]
		list, _ := old.([]string)
		if o.Multiple && text == "" {
			values[key] = append([]string{}, list...)
			continue
		}
		v, err := parse(o, text, home)
		if err != nil {
			return nil, err
		}
		switch {
		case o.Multiple:
			values[key] = append(list, Text(v))
		case again:
			return nil, refuse(o, "takes one value, and was given twice")
		default:
			values[key] = v
		}
	}
	return values, nil
}

func refuse(o manifest.Option, format string, args ...any) *problem.Problem {
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
			return nil, refuse(o, "%s is neither true nor false", quoted(o, text))
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

// parseNumber takes JSON's numbers: no hexadecimal, no infinity. One that would not come out as it went in, such as an
// account number of twenty digits, is refused.
func parseNumber(o manifest.Option, text string) (any, error) {
	const exact = 1 << 53
	var f float64
	if err := json.Unmarshal([]byte(text), &f); err != nil || strings.TrimSpace(text) == "null" {
		return nil, refuse(o, "%s is no number", quoted(o, text))
	}
	if f > exact || f < -exact {
		return nil, refuse(o, "%s is too large to be kept exactly", quoted(o, text))
	}
	if why := outside(o, f); why != "" {
		return nil, refuse(o, "%s", why)
	}
	return f, nil
}

// outside says why a number is not in the option's range; "" when it is.
func outside(o manifest.Option, f float64) string {
	switch {
	case o.Min != nil && f < *o.Min:
		return fmt.Sprintf("must be at least %s", Text(*o.Min))
	case o.Max != nil && f > *o.Max:
		return fmt.Sprintf("must be at most %s", Text(*o.Max))
	}
	return ""
}

// quoted repeats a value in a message, unless it is a secret.
func quoted(o manifest.Option, text string) string {
	if o.Sensitive {
		return "the value"
	}
	return strconv.Quote(text)
}

// parsePath gives the absolute path without links, so that what was agreed to cannot be exchanged by changing a link.
func parsePath(o manifest.Option, text, home string) (any, error) {
	if text == "" {
		return "", nil
	}
	if rest, ok := strings.CutPrefix(text, "~"); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		text = filepath.Join(home, rest)
	}
	abs, err := filepath.Abs(text)
	if err != nil {
		return nil, refuse(o, "%s is no path", quoted(o, text))
	}
	return realPath(o, abs)
}

// realPath gives a path without links; what is there must be of the option's type.
func realPath(o manifest.Option, abs string) (string, error) {
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", refuse(o, "there is no %s %s", kindOf(o), quoted(o, abs))
	}
	if err != nil {
		return "", refuse(o, "%s cannot be looked at", quoted(o, abs)).Because(err)
	}
	info, err := os.Stat(real)
	if err != nil || info.IsDir() != (o.Type == manifest.Directory) {
		return "", refuse(o, "%s is no %s", quoted(o, real), kindOf(o))
	}
	return real, nil
}

func kindOf(o manifest.Option) string {
	if o.Type == manifest.Directory {
		return "folder"
	}
	return "file"
}
