package manifest

import (
	"fmt"
	"strings"

	"satchel/internal/spell"
)

// isVariable tells whether the specification knows a variable of this name, beside user_config.
func isVariable(name string) bool {
	switch name {
	case "__dirname", "HOME", "DESKTOP", "DOCUMENTS", "DOWNLOADS", "pathSeparator", "/":
		return true
	}
	return false
}

// variables looks at every text of the command for variables that nothing declares, and at every option for its use.
func (c *meaning) variables() {
	options := c.root.get("user_config")
	declared := map[string]bool{}
	var keys []string
	options.each(func(m *member) {
		declared[m.key] = true
		keys = append(keys, m.key)
	})
	used := map[string]bool{}
	c.texts(c.root.get("server").get("mcp_config"), top("server").key("mcp_config"), func(p *place, n *node) {
		for _, name := range variablesIn(n.str) {
			key, isOption := strings.CutPrefix(name, "user_config.")
			used[key] = used[key] || isOption
			switch {
			case isOption && !declared[key]:
				c.undeclared(p, n, key, keys)
			case !isOption && !isVariable(name):
				c.unknownVariable(p, n, name, declared[name])
			}
		}
	})
	options.each(func(m *member) {
		p := top("user_config")
		if !used[m.key] {
			c.atKey("manifest/unused-option", Hint, p, m, "", "is asked for, but the command does not use "+quote("${user_config."+m.key+"}"))
		}
		c.texts(m.val.get("default"), p.key(m.key).key("default"), func(p *place, n *node) {
			for _, name := range variablesIn(n.str) {
				if !isVariable(name) {
					c.unknownVariable(p, n, name, false)
				}
			}
		})
	})
}

// texts visits every text in n; keys are not expanded, so they are no texts.
func (c *meaning) texts(n *node, p *place, visit func(p *place, n *node)) {
	switch {
	case n == nil:
	case n.kind == kString:
		visit(p, n)
	default:
		for i, item := range n.items {
			c.texts(item, p.index(i), visit)
		}
		n.each(func(m *member) { c.texts(m.val, p.key(m.key), visit) })
	}
}

func (c *meaning) undeclared(p *place, n *node, key string, keys []string) {
	if c.full(Error) {
		return
	}
	fix := fmt.Sprintf("declare %s under user_config", quote(key))
	if near := spell.Nearest(key, keys); near != "" {
		fix = fmt.Sprintf("did you mean ${user_config.%s}?", near)
	}
	c.at("manifest/undeclared", Error, p, n, fix, "uses "+quote("${user_config."+key+"}")+", which user_config does not declare").
		by(c.variable(n, p, "user_config."+key, prefixed("user_config.", spell.Only(key, keys))))
}

// unknownVariable: that it is the name of an option is the usual mistake.
func (c *meaning) unknownVariable(p *place, n *node, name string, isOption bool) {
	if c.full(Warning) {
		return
	}
	meant := spell.Only(name, wordVariables())
	fix := `known are ${__dirname}, ${HOME}, ${DESKTOP}, ${DOCUMENTS}, ${DOWNLOADS}, ${pathSeparator}, ${/}`
	if near := spell.Nearest(name, wordVariables()); near != "" {
		fix = "did you mean ${" + near + "}?"
	}
	if isOption {
		meant = "user_config." + name
		fix = "did you mean ${" + meant + "}?"
	}
	if name == "TEMP" { // package expand knows it
		c.at("manifest/unknown-variable", Warning, p, n, "use ${HOME}", "uses \"${TEMP}\", which the specification does not know: other hosts leave it as it is")
		return
	}
	c.at("manifest/unknown-variable", Warning, p, n, fix, "uses "+quote("${"+name+"}")+", which no host knows: it stays as it is").
		by(c.variable(n, p, name, meant))
}

// wordVariables are the variables that can be misspelt.
func wordVariables() []string {
	return []string{"__dirname", "HOME", "DESKTOP", "DOCUMENTS", "DOWNLOADS", "pathSeparator"}
}

func prefixed(prefix, word string) string {
	if word == "" {
		return ""
	}
	return prefix + word
}

// promptText looks for arguments that a prompt uses and does not declare.
func (c *meaning) promptText(n *node, text string, p *place) {
	var names []string
	declared := map[string]bool{}
	if arguments := n.get("arguments"); arguments != nil {
		for _, a := range arguments.items {
			names = append(names, a.str)
			declared[a.str] = true
		}
	}
	for _, name := range variablesIn(text) {
		arg, ok := strings.CutPrefix(name, "arguments.")
		if !ok || declared[arg] || c.full(Warning) {
			continue
		}
		fix := fmt.Sprintf("declare %s under arguments", quote(arg))
		if near := spell.Nearest(arg, names); near != "" {
			fix = fmt.Sprintf("did you mean ${arguments.%s}?", near)
		}
		c.at("manifest/prompt-argument", Warning, p, n.get("text"), fix, "uses "+quote("${"+name+"}")+", which the prompt does not declare").
			by(c.variable(n.get("text"), p, name, prefixed("arguments.", spell.Only(arg, names))))
	}
}

// variablesIn gives the names inside ${}, each once. In "${a${b}" that is b: a name holds no "${", as in package expand.
func variablesIn(s string) (names []string) {
	seen := map[string]bool{}
	for {
		head, after, ok := strings.Cut(s, "}")
		if !ok {
			return names
		}
		if start := strings.LastIndex(head, "${"); start >= 0 && !seen[head[start+2:]] {
			names = append(names, head[start+2:])
			seen[head[start+2:]] = true
		}
		s = after
	}
}
