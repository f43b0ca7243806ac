package answers

import (
	"strings"

	"satchel/internal/problem"
	"satchel/internal/spell"
	"satchel/mcpb/manifest"
)

// Known gives nil when there is an option of this key, else the problem that says which there are.
func Known(options manifest.Options, key string) error {
	if _, ok := options.Get(key); ok {
		return nil
	}
	return unknownKey(options, key)
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
	if near := spell.Nearest(key, keys); near != "" {
		return p.Try("did you mean %s?", near)
	}
	return p.Try("it asks for: %s", strings.Join(keys, ", "))
}
