package lint

import (
	"maps"
	"path"
	"slices"
	"strings"

	"satchel/mcpb/manifest"
)

func nativeRules() []Rule {
	return []Rule{
		{
			ID: "lint/native-platform", Title: "A program for another system than the manifest says",
			Why: "A native program or library runs on the system that it was built for only. A bundle with a library for Linux that claims to run everywhere " +
				"fails on every other machine, after it was installed.",
			Fix:    `say where it runs in "compatibility": {"platforms": […]}, or pack the programs of the other systems too and name them under platform_overrides`,
			Bad:    `no "compatibility", and server/index.node is for linux only`,
			Good:   `"compatibility": {"platforms": ["linux"]}`,
			Source: mcpbSource, Author: Warning, Reviewer: Error, check: checkPlatforms,
		},
		{
			ID: "lint/native-code", Title: "Native programs in the bundle",
			Why:    "No reader sees what is in them. A reviewer asks where they were built, and from what.",
			Fix:    "nothing, when they are needed: be ready to say how they are built",
			Bad:    "server/addon.node",
			Good:   "server/index.js",
			Source: ours, Author: Off, Reviewer: Hint, check: checkNative,
		},
	}
}

func checkNative(c *check) {
	for _, f := range c.tree.files {
		if f.object != nil {
			c.add(inFile(f.name, spot{}, "is a native program or library: %s for %s", f.object.Format, systemOf(f)))
		}
	}
}

func systemOf(f *file) string {
	return strings.TrimSuffix(f.object.OS+" "+strings.Join(f.object.Arch, "+"), " ")
}

// checkPlatforms compares the systems that the manifest claims with those that the native files are for.
func checkPlatforms(c *check) {
	claimed, claims := []string{"darwin", "linux", "win32"}, "says nothing of platforms, so it claims"
	if compat := c.manifest.Compatibility; compat != nil && len(compat.Platforms) > 0 {
		claimed, claims = compat.Platforms, "claims"
	}
	if c.platformPrograms(claimed) {
		return
	}
	has := map[string]string{} // by system: a file
	for _, f := range c.tree.files {
		if f.object != nil && has[f.object.OS] == "" && !c.isPlatformProgram(f.name) {
			has[f.object.OS] = f.name
		}
	}
	if len(has) == 0 {
		return
	}
	missing := slices.DeleteFunc(slices.Clone(claimed), func(p string) bool { return has[p] != "" })
	slices.Sort(missing)
	if missing = slices.Compact(missing); len(missing) > 0 {
		systems := slices.Sorted(maps.Keys(has))
		c.add(c.at([]any{"compatibility", "platforms"}, "%s %s, but the native files are for %s, such as %s",
			claims, strings.Join(missing, " and "), strings.Join(systems, " and "), quote(has[systems[0]])))
	}
}

// platformPrograms checks the program that each claimed system runs, where it is a file of the bundle; true when there was
// something to say.
func (c *check) platformPrograms(claimed []string) bool {
	if c.manifest.Server.MCPConfig == nil {
		return false
	}
	before := len(c.found) + c.more
	for _, system := range claimed {
		keys, command := c.commandFor(system)
		f := c.programFile(command, system)
		if f == nil {
			if name, ok := inBundle(command); ok && c.subject.Files != nil {
				c.add(c.at(keys, "%s runs %s, which is not in the bundle", system, quote(name)))
			}
			continue
		}
		if f.object != nil && f.object.OS != system {
			c.add(c.at(keys, "%s runs %s, which is for %s", system, quote(f.name), systemOf(f)))
		}
	}
	return len(c.found)+c.more > before
}

// commandFor gives the command of a system and where it stands.
func (r *run) commandFor(system string) ([]any, string) {
	config := r.manifest.Server.MCPConfig
	for _, key := range []string{system, system + "-x64", system + "-arm64"} {
		if o, ok := config.PlatformOverrides[key]; ok && o.Command != "" {
			return []any{"server", "mcp_config", "platform_overrides", key, "command"}, o.Command
		}
	}
	return []any{"server", "mcp_config", "command"}, config.Command.Command
}

// inBundle gives the path inside the bundle of a command that has one.
func inBundle(command string) (string, bool) {
	name, ok := strings.CutPrefix(strings.ReplaceAll(command, "${/}", "/"), "${__dirname}/")
	if !ok || strings.Contains(name, "${") {
		return "", false
	}
	return path.Clean(strings.ReplaceAll(name, `\`, "/")), true
}

// programFile finds the file of a command; Windows adds .exe itself.
func (r *run) programFile(command, system string) *file {
	name, ok := inBundle(command)
	if !ok {
		return nil
	}
	if f := r.tree.byName[name]; f != nil || system != "win32" {
		return f
	}
	return r.tree.byName[name+".exe"]
}

// isPlatformProgram tells whether a file is the program of some system: those are checked one by one.
func (r *run) isPlatformProgram(name string) bool {
	config := r.manifest.Server.MCPConfig
	if config == nil {
		return false
	}
	commands := []string{config.Command.Command}
	for _, o := range config.PlatformOverrides {
		commands = append(commands, o.Command)
	}
	return slices.ContainsFunc(commands, func(c string) bool {
		f := r.programFile(c, "win32")
		return f != nil && f.name == name
	}) || r.manifest.Server.Type == manifest.Binary && r.manifest.EntryFile() == name
}
