package manifest

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// checkMeaning looks at what the schema does not: that what the manifest names is there and fits together. The
// manifest may break its schema elsewhere.
func checkMeaning(m *Manifest, root *node, files fs.FS) []Finding {
	c := &meaning{m: m, root: root, files: files}
	c.identity()
	c.variables()
	for i := range m.UserConfig {
		c.option(&m.UserConfig[i])
	}
	c.ranges()
	c.names()
	c.links()
	if files != nil {
		c.entryPoint()
		c.pictures()
		c.locale()
	}
	return c.out
}

// A meaning is one run of checkMeaning.
type meaning struct {
	checker
	m     *Manifest
	root  *node
	files fs.FS
}

// say adds a finding at the value that steps (keys and indexes) lead to, or at the nearest one above that is there.
func (c *meaning) say(rule string, severity Severity, fix, message string, steps ...any) {
	n, where := c.root, ""
	for _, s := range steps {
		var next *node
		switch s := s.(type) {
		case string:
			next, where = n.get(s), join(where, s)
		case int:
			next, where = n.item(s), fmt.Sprintf("%s[%d]", where, s)
		}
		if next != nil {
			n = next
		}
	}
	end := n.end
	if n.kind == kObject || n.kind == kArray {
		end = n.start + 1
	}
	c.add(rule, where, n.start, end, severity, fix, "%s", message)
}

func (c *meaning) identity() {
	if _, err := ID(Local, c.m.Name); err != nil {
		c.say("manifest/name", Warning, `use letters, digits, dots and dashes, such as "my-extension"`, "gives no id: hosts of this kind refuse to install it", "name")
	}
	if _, err := semver.StrictNewVersion(c.m.Version); err != nil {
		c.say("manifest/semver", Warning, `write it as MAJOR.MINOR.PATCH, such as "1.0.0"`, fmt.Sprintf("%q is not a semantic version", c.m.Version), "version")
	}
}

// known are the variables of the specification, beside user_config.
func known(name string) bool {
	switch name {
	case "__dirname", "HOME", "DESKTOP", "DOCUMENTS", "DOWNLOADS", "TEMP", "pathSeparator", "/":
		return true
	}
	return false
}

// variables looks at every text of the command for variables that nothing declares.
func (c *meaning) variables() {
	if c.m.Server.MCPConfig == nil {
		return
	}
	used := map[string]bool{}
	at := []any{"server", "mcp_config"}
	c.command(c.m.Server.MCPConfig.Command, used, at...)
	for name, cmd := range c.m.Server.MCPConfig.PlatformOverrides {
		c.command(cmd, used, append(slices.Clone(at), "platform_overrides", name)...)
	}
	for _, o := range c.m.UserConfig {
		if !used[o.Key] {
			c.say("manifest/unused-option", Hint, "", fmt.Sprintf("is asked for, but no ${user_config.%s} uses it", o.Key), "user_config", o.Key)
		}
		for _, name := range variablesIn(fmt.Sprint(o.Default)) {
			if !known(name) {
				c.say("manifest/unknown-variable", Warning, "", "${"+name+"} is not a known variable here", "user_config", o.Key, "default")
			}
		}
	}
}

func (c *meaning) command(cmd Command, used map[string]bool, at ...any) {
	c.text(cmd.Command, used, append(slices.Clone(at), "command")...)
	for i, arg := range cmd.Args {
		c.text(arg, used, append(slices.Clone(at), "args", i)...)
	}
	for key, val := range cmd.Env {
		c.text(val, used, append(slices.Clone(at), "env", key)...)
	}
}

func (c *meaning) text(s string, used map[string]bool, at ...any) {
	for _, name := range variablesIn(s) {
		key, isOption := strings.CutPrefix(name, "user_config.")
		_, declared := c.m.UserConfig.Get(key)
		switch {
		case isOption && declared:
			used[key] = true
		case isOption:
			fix := "declare it under user_config"
			var keys []string
			for _, o := range c.m.UserConfig {
				keys = append(keys, o.Key)
			}
			if near := nearest(key, keys); near != "" {
				fix = fmt.Sprintf("did you mean ${user_config.%s}?", near)
			}
			c.say("manifest/undeclared", Error, fix, "${"+name+"} is not declared", at...)
		case !known(name):
			c.say("manifest/unknown-variable", Warning, "", "${"+name+"} is not a known variable; the server will get it as it is", at...)
		}
	}
}

// variablesIn gives the names inside ${}.
func variablesIn(s string) (names []string) {
	for {
		_, rest, ok := strings.Cut(s, "${")
		if !ok {
			return names
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return names
		}
		names, s = append(names, name), after
	}
}

func (c *meaning) option(o *Option) {
	at := func(key string) []any { return []any{"user_config", o.Key, key} }
	if o.Min != nil && o.Max != nil && *o.Min > *o.Max {
		c.say("manifest/range", Error, "", fmt.Sprintf("min %v is larger than max %v", *o.Min, *o.Max), at("min")...)
	}
	if o.Multiple && (o.Type == Boolean || o.Type == Number) {
		c.say("manifest/multiple", Warning, "", "multiple is not for a "+o.Type, at("multiple")...)
	}
	if o.Default == nil {
		return
	}
	if why := c.badDefault(o); why != "" {
		c.say("manifest/default", Error, "", why, at("default")...)
	}
	if o.Sensitive && o.Default != "" {
		c.say("manifest/sensitive-default", Warning, "leave the default out", "a default of a sensitive option is published with the bundle", at("default")...)
	}
}

func (c *meaning) badDefault(o *Option) string {
	mismatch := fmt.Sprintf("the default does not fit the type %s", o.Type)
	switch d := o.Default.(type) {
	case []string:
		if !o.Multiple {
			return "the default is a list, but the option is not multiple"
		}
	case float64:
		switch {
		case o.Type != Number:
			return mismatch
		case o.Min != nil && d < *o.Min:
			return fmt.Sprintf("the default %v is smaller than min %v", d, *o.Min)
		case o.Max != nil && d > *o.Max:
			return fmt.Sprintf("the default %v is larger than max %v", d, *o.Max)
		}
	case bool:
		if o.Type != Boolean {
			return mismatch
		}
	case string:
		if o.Type == Boolean || o.Type == Number {
			return mismatch
		}
	}
	return ""
}

func (c *meaning) ranges() {
	if c.m.Compatibility == nil {
		return
	}
	run := c.m.Compatibility.Runtimes
	if _, err := SatisfiesNode(run.Node, "20.0.0"); run.Node != "" && err != nil {
		c.say("manifest/version-range", Warning, `write it like ">=18.0.0 <23"`, "cannot be read as a version range", "compatibility", "runtimes", "node")
	}
	if _, err := SatisfiesPython(run.Python, "3.12.0"); run.Python != "" && err != nil {
		c.say("manifest/version-range", Warning, `write it like ">=3.10,<4"`, "cannot be read as a version range", "compatibility", "runtimes", "python")
	}
	if _, err := SatisfiesNode(c.m.Compatibility.ClaudeDesktop, "1.0.0"); c.m.Compatibility.ClaudeDesktop != "" && err != nil {
		c.say("manifest/version-range", Warning, `write it like ">=0.10.0"`, "cannot be read as a version range", "compatibility", "claude_desktop")
	}
}

func (c *meaning) names() {
	seen := map[string]bool{}
	for i, t := range c.m.Tools {
		if seen[t.Name] {
			c.say("manifest/duplicate", Warning, "", fmt.Sprintf("a second tool %q", t.Name), "tools", i, "name")
		}
		seen[t.Name] = true
	}
	clear(seen)
	for i, p := range c.m.Prompts {
		if seen[p.Name] {
			c.say("manifest/duplicate", Warning, "", fmt.Sprintf("a second prompt %q", p.Name), "prompts", i, "name")
		}
		seen[p.Name] = true
		for _, name := range variablesIn(p.Text) {
			if arg, ok := strings.CutPrefix(name, "arguments."); ok && !slices.Contains(p.Arguments, arg) {
				c.say("manifest/prompt-argument", Warning, "declare it under arguments", "${"+name+"} is not declared", "prompts", i, "text")
			}
		}
	}
}

func (c *meaning) links() {
	for key, url := range map[string]string{"homepage": c.m.Homepage, "documentation": c.m.Documentation, "support": c.m.Support} {
		if scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(url)), ":"); scheme == "javascript" || scheme == "data" || scheme == "file" {
			c.say("manifest/link", Warning, "use https", "is a "+scheme+": link, which hosts must not open", key)
		}
	}
}

// local cleans a path of the manifest; "" when it leads out of the bundle.
func local(p string) string {
	p = path.Clean(strings.TrimPrefix(p, "${__dirname}/"))
	if !fs.ValidPath(p) || strings.Contains(p, `\`) || len(p) > 1 && p[1] == ':' {
		return ""
	}
	return p
}

func (c *meaning) entryPoint() {
	entry := c.m.Server.EntryPoint
	if entry == "" {
		if c.m.Server.Type != UV {
			c.say("manifest/entry-point", Warning, "", "is empty: the host cannot check that the server is in the bundle", "server", "entry_point")
		}
		return
	}
	p := local(entry)
	if p == "" {
		c.say("manifest/entry-point", Error, "name a file of the bundle", fmt.Sprintf("%q leads out of the bundle", entry), "server", "entry_point")
		return
	}
	if info, err := fs.Stat(c.files, p); err != nil || info.IsDir() {
		c.say("manifest/entry-point", Error, "", fmt.Sprintf("there is no file %q", entry), "server", "entry_point")
	}
}

func (c *meaning) pictures() {
	if c.m.Icon != "" {
		c.picture(c.m.Icon, "icon")
	}
	for i, icon := range c.m.Icons {
		c.picture(icon.Src, "icons", i, "src")
		if regexp.MustCompile(`^0+x|x0+$`).MatchString(icon.Size) {
			c.say("manifest/icon", Error, "", "an icon of no size", "icons", i, "size")
		}
	}
	for i, shot := range c.m.Screenshots {
		c.picture(shot, "screenshots", i)
	}
}

// picture checks that a picture is a PNG of the bundle; one on the web cannot be checked.
func (c *meaning) picture(name string, at ...any) {
	if scheme := strings.ToLower(name); strings.HasPrefix(scheme, "https://") || strings.HasPrefix(scheme, "http://") {
		c.say("manifest/icon", Warning, "put the picture into the bundle", "is on the web: hosts may not show it", at...)
		return
	}
	p := local(name)
	if p == "" || strings.HasPrefix(name, "${") {
		c.say("manifest/icon", Error, "name a file of the bundle", fmt.Sprintf("%q leads out of the bundle", name), at...)
		return
	}
	f, err := c.files.Open(p)
	if err != nil {
		c.say("manifest/icon", Error, "", fmt.Sprintf("there is no file %q", name), at...)
		return
	}
	defer f.Close()
	head := make([]byte, 8)
	if n, _ := f.Read(head); string(head[:n]) != "\x89PNG\r\n\x1a\n" {
		severity := Error
		if at[0] == "screenshots" {
			severity = Warning
		}
		c.say("manifest/icon", severity, "convert it to PNG", fmt.Sprintf("%q is no PNG", name), at...)
	}
}

func (c *meaning) locale() {
	l := c.m.Localization
	if l == nil {
		return
	}
	name, ok := resourcePath(l.Resources, l.DefaultLocale)
	if !ok {
		c.say("manifest/locale", Error, "name files of the bundle", "leads out of the bundle", "localization", "resources")
	} else if _, err := fs.Stat(c.files, name); err != nil {
		c.say("manifest/locale", Error, "", fmt.Sprintf("there is no file %q for the default locale", name), "localization", "resources")
	}
}
