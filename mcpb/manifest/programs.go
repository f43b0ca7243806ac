package manifest

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Programs gives the files of a bundle that the commands for all systems start, as paths in the bundle, sorted. A command
// that names no file that is there is passed over: [Validate] reports it.
func (m *Manifest) Programs(files fs.FS) []string {
	if m.Server.MCPConfig == nil {
		return nil
	}
	var found []string
	exists := func(name string) bool { return whyNot(files, name) == "" }
	add := func(command, system string) {
		for _, name := range programFiles(command, m.Server.Type, system, exists) {
			if exists(name) {
				found = append(found, name)
				return
			}
		}
	}
	for _, system := range systems() {
		add(m.Server.MCPConfig.Command.Command, system)
	}
	for key, over := range m.Server.MCPConfig.PlatformOverrides {
		add(over.Command, systemOf(key))
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// systems are those that manifests know.
func systems() []string { return []string{"darwin", "linux", "win32"} }

// systemOf gives the system that a key of platform_overrides is for, with a processor or without.
func systemOf(key string) string {
	system, _, _ := strings.Cut(key, "-")
	if system == "windows" {
		return "win32"
	}
	return system
}

// programFiles gives the paths in the bundle of which one must be there for a command to start: one, or on Windows also
// that with .exe. There are none for a program of the machine, and where an answer or a folder of the machine decides.
// It must say the same as package expand.
func programFiles(command, serverType, system string, exists func(string) bool) []string {
	p := strings.NewReplacer("${/}", "/", "${pathSeparator}", "/").Replace(command)
	if system == "win32" {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	p, inside := strings.CutPrefix(p, "${__dirname}/")
	if strings.Contains(p, "${") || p == "" || !inside && (strings.HasPrefix(p, "/") || system == "win32" && strings.Contains(p, ":")) {
		return nil
	}
	if inside {
		p = strings.TrimLeft(p, "/")
	}
	names := []string{path.Clean(p)}
	if system == "win32" {
		names = append(names, names[0]+".exe")
	}
	if !inside && !strings.Contains(p, "/") && (serverType != Binary || !slices.ContainsFunc(names, exists)) {
		return nil
	}
	return names
}

// A commandUse is where the manifest has a command, and for which systems.
type commandUse struct {
	n             *node
	p             *place
	used, missing []string // systems
	why           string
}

// commands: the reference never looks whether the program is in the bundle.
func (c *meaning) commands() {
	works := 0
	uses := c.commandUses()
	for _, u := range uses {
		works += len(u.used) - len(u.missing)
	}
	promised := c.root.get("compatibility").get("platforms") != nil
	for _, u := range uses {
		if len(u.missing) == 0 {
			continue
		}
		severity, where, fix := Error, "", "build it first, or correct the path"
		if len(u.missing) < len(u.used) {
			where = " on " + strings.Join(u.missing, " and ")
		}
		if works > 0 && !promised {
			severity, fix = Warning, "put it in, or list under compatibility.platforms where the extension runs"
		}
		c.at("manifest/command", severity, u.p, u.n, fix, quote(u.n.str)+" "+u.why+where)
	}
}

// commandUses gives every command with the systems that it is for, and those where its program is not in the bundle.
func (c *meaning) commandUses() []*commandUse {
	config, at := c.root.get("server").get("mcp_config"), top("server").key("mcp_config")
	base := &commandUse{n: config.get("command"), p: at.key("command")}
	uses := []*commandUse{base}
	for _, system := range c.platforms() {
		plain := base
		config.get("platform_overrides").each(func(m *member) {
			if n := m.val.get("command"); systemOf(m.key) == system && n != nil && n.kind == kString && n.str != "" {
				u := &commandUse{n: n, p: at.key("platform_overrides").key(m.key).key("command")}
				uses = append(uses, u)
				if c.startsOn(u, system); !strings.Contains(m.key, "-") {
					plain = nil
				}
			}
		})
		if plain != nil {
			c.startsOn(plain, system)
		}
	}
	return uses
}

// platforms are the systems that the extension is for: all, unless it says which.
func (c *meaning) platforms() []string {
	listed := c.root.get("compatibility").get("platforms")
	if listed == nil || len(listed.items) == 0 {
		return systems()
	}
	return slices.DeleteFunc(systems(), func(s string) bool {
		return !slices.ContainsFunc(listed.items, func(n *node) bool { return n.kind == kString && n.str == s })
	})
}

// startsOn notes whether the program of a command can be there on a system.
func (c *meaning) startsOn(u *commandUse, system string) {
	if u.n == nil || u.n.kind != kString {
		return
	}
	u.used = append(u.used, system)
	typ, _ := c.root.get("server").text("type")
	names := programFiles(u.n.str, typ, system, func(name string) bool { return c.files != nil && whyNot(c.files, name) == "" })
	if len(names) == 0 {
		return
	}
	_, why := localPath(names[0])
	if why == "" && c.files != nil {
		why = whyNot(c.files, names[0])
		if len(names) > 1 && why != "" && whyNot(c.files, names[1]) == "" {
			why = ""
		}
	}
	if why != "" {
		u.missing, u.why = append(u.missing, system), why
	}
}
