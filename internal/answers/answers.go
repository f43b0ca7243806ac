// Package answers checks the values that a person gives for an extension's user_config: types, ranges, paths that must
// be there. What passes is typed as package expand takes it.
//
// [Parse] reads what was typed, [Check] looks at kept values again before a start, [Missing] finds what is still needed,
// [Split] and [Join] keep secrets apart from the rest, [Kept] carries answers over to another version.
package answers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"satchel/mcpb/manifest"
)

// Values are answers by the option's key: string, float64, bool or []string.
type Values map[string]any

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
		if !ok || o.Sensitive && !secrets || misfit(o, v) != "" {
			continue
		}
		kept[key] = v
	}
	return kept
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
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
