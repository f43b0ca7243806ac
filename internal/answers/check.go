package answers

import (
	"path/filepath"
	"strings"

	"satchel/mcpb/manifest"
)

// Check looks at values that were kept, or read from JSON with [Restore], before a start: each must still fit its option,
// and each path must be there and lead where it led when it was agreed to. Values that no option asks for are passed
// over. The error is a problem of class NeedsConfig.
func Check(options manifest.Options, values Values) error {
	for _, o := range options {
		v, answered := values[o.Key]
		if !answered {
			continue
		}
		if why := misfit(o, v); why != "" {
			return refuse(o, "%s", why)
		}
		if o.Type != manifest.Directory && o.Type != manifest.File {
			continue
		}
		for _, path := range texts(v) {
			if err := checkPath(o, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkPath refuses a path that came to lead elsewhere: somebody put a link into it after the person agreed.
func checkPath(o manifest.Option, path string) error {
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		return refuse(o, "%s is not an absolute path", quoted(o, path))
	}
	real, err := realPath(o, path)
	if err != nil {
		return err
	}
	if real != path {
		return refuse(o, "%s now leads to %s; answer it again if that is meant", quoted(o, path), quoted(o, real))
	}
	return nil
}

// misfit says why a value is not one that the option takes; "" when it is.
func misfit(o manifest.Option, v any) string {
	list, isList := v.([]string)
	switch {
	case isList && !o.Multiple:
		return "takes one value, not a list"
	case !isList && o.Multiple:
		return "must be a list"
	case isList:
		return nul(list)
	}
	switch v := v.(type) {
	case float64:
		if o.Type == manifest.Number {
			return outside(o, v)
		}
	case bool:
		if o.Type == manifest.Boolean {
			return ""
		}
	case string:
		if o.Type != manifest.Number && o.Type != manifest.Boolean {
			return nul([]string{v})
		}
	}
	return "must be a " + o.Type
}

func nul(list []string) string {
	if strings.Contains(strings.Join(list, ""), "\x00") {
		return "holds a NUL, which no program can be given"
	}
	return ""
}

// texts gives the items of a list, or the one text.
func texts(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case string:
		return []string{v}
	}
	return nil
}
