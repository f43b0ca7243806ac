package lint

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"satchel/internal/jsonedit"
	"satchel/mcpb/manifest"
)

func answerRules() []Rule {
	return []Rule{
		{
			ID: "lint/secret-argument", Title: "A secret answer on the command line",
			Why:    "Every program on the machine can read the command lines of all others, and crash reports and logs keep them.",
			Fix:    `hand it over in "env", and read it there`,
			Bad:    `"args": ["--token", "${user_config.token}"]`,
			Good:   `"env": {"API_TOKEN": "${user_config.token}"}`,
			Source: "CWE-214, sensitive information in the arguments of a process", Author: Error, Reviewer: Error, check: checkSecretArguments,
		},
		{
			ID: "lint/not-sensitive", Title: "A password that is asked for like any text",
			Why:    `Hosts hide a sensitive answer while it is typed, keep it in the system's keychain and leave it out of logs. Without "sensitive" it lies in a plain file.`,
			Fix:    `add "sensitive": true to the option`,
			Bad:    `"api_key": {"type": "string", "title": "API key", "description": "From your account."}`,
			Good:   `"api_key": {"type": "string", "title": "API key", "description": "From your account.", "sensitive": true}`,
			Source: mcpbSource, Author: Warning, Reviewer: Error, Mends: "marks the option as sensitive", check: checkNotSensitive,
		},
		{
			ID: "lint/broad-default", Title: "A folder that holds everything, given by default",
			Why: "Most people keep the default. A home folder, a whole disk or the Desktop holds far more than a server needs: " +
				"keys, browser profiles, other people's documents.",
			Fix:    "leave the default out and let the person choose, or name a folder of the extension's own, such as ${HOME}/Documents/notes",
			Bad:    `"folder": {"type": "directory", "default": "${HOME}", …}`,
			Good:   `"folder": {"type": "directory", "required": true, …}`,
			Source: ours, Author: Warning, Reviewer: Error, check: checkBroadDefaults,
		},
	}
}

// secretOption tells whether an answer is a secret: its author says so, or its name does.
func secretOption(o manifest.Option) bool {
	return o.Sensitive || (o.Type == manifest.String && (looksSecret(o.Key) || looksSecret(o.Title) && !looksPublic(o.Title)))
}

// looksPublic knows titles that only speak about a secret: "Token limit" is none.
func looksPublic(title string) bool { return len(wordsOf(title)) > 5 }

func checkSecretArguments(c *check) {
	for v := range c.outline.Texts("server", "mcp_config") {
		if !isArgument(v.Keys) {
			continue
		}
		for _, m := range variable().FindAllStringSubmatch(v.Text, 20) {
			name, isOption := strings.CutPrefix(m[1], "user_config.")
			o, found := c.manifest.UserConfig.Get(name)
			if isOption && found && secretOption(o) || !isOption && name != "PWD" && looksSecret(name) { // "${PASSWORD}" is meant as the answer, PWD is a folder
				c.add(c.atText(v, "puts the secret %s onto the command line", quote(name)))
				break
			}
		}
	}
}

// isArgument tells whether a text of mcp_config is part of the command line: of the command itself or of an override.
func isArgument(keys []any) bool {
	rest := keys[2:]
	if len(rest) > 2 && rest[0] == "platform_overrides" {
		rest = rest[2:]
	}
	return len(rest) > 0 && (rest[0] == "args" || rest[0] == "command")
}

func checkNotSensitive(c *check) {
	for _, o := range c.manifest.UserConfig {
		if o.Sensitive || !secretOption(o) {
			continue
		}
		f := c.at([]any{"user_config", o.Key}, "looks like a secret, but is not marked as sensitive")
		f.mend = mending("marked "+quote(o.Key)+" as sensitive", jsonedit.Set(jsonedit.Path{"user_config", o.Key, "sensitive"}, true))
		c.add(f)
	}
}

func checkBroadDefaults(c *check) {
	for _, o := range c.manifest.UserConfig {
		if o.Type != manifest.Directory && o.Type != manifest.File && !folderWords().MatchString("_"+strings.Join(wordsOf(o.Key), "_")+"_") {
			continue
		}
		for v := range c.outline.Texts("user_config", o.Key, "default") {
			c.broad(v, "is a default")
		}
	}
	for v := range c.outline.Texts("server", "mcp_config") {
		name, _ := v.Keys[len(v.Keys)-1].(string)
		inEnv := len(v.Keys) > 3 && v.Keys[len(v.Keys)-2] == "env" && folderWords().MatchString("_"+strings.Join(wordsOf(name), "_")+"_") && !strings.HasPrefix(name, "PYTHON")
		if isArgument(v.Keys) && v.Keys[len(v.Keys)-1] != "command" || inEnv {
			c.broad(v, "is given to the server, and the person cannot change it")
		}
	}
}

func (c *check) broad(v manifest.Value, how string) {
	for part := range strings.SplitSeq(v.Text, ",") {
		if option, value, ok := strings.Cut(part, "="); ok && strings.HasPrefix(option, "--") {
			part = value
		}
		if why := broadFolder(strings.TrimSpace(part)); why != "" {
			c.add(c.atText(v, "%s: %s %s", quote(v.Text), why, how))
			return
		}
	}
}

var (
	variable    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{([^{}]{1,200})\}`) })
	folderWords = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`_(dir|dirs|directory|directories|folder|folders|root|roots|workspace)_`)
	})
	drive   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z]:[\\/]*$`) })
	oneHome = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^([A-Z]:)?[\\/](home|users)[\\/][^\\/]+$`) })
)

// broadFolder says what a folder is that holds more than any server needs; "" for others.
func broadFolder(p string) string {
	p = strings.ReplaceAll(p, "${/}", "/")
	if !strings.Contains(p, `\`) && p != "" {
		p = path.Clean(p) // ${HOME}/Documents/.. is ${HOME}
	}
	trimmed := strings.TrimRight(p, `/\`)
	trimmed = strings.TrimSuffix(trimmed, "/.")
	if drive().MatchString(p) || p == "/" || p == "//" || p == `\` {
		return "the whole disk"
	}
	switch strings.ToLower(trimmed) {
	case "${home}", "~", "$home", "%userprofile%", "/root", "/home", "/users", `c:\users`, "c:/users":
		return "the home folder"
	case "/etc", "/usr", "/var", "/bin", "/opt", "/lib", "/dev", "/proc", "/sys", "/library", "/system", "/applications", "/mnt", "/media", "/volumes",
		`c:\windows`, "c:/windows", `c:\program files`, "c:/program files":
		return "a folder of the system"
	case "${desktop}", "${documents}", "${downloads}":
		return "a whole personal folder"
	}
	for _, home := range []string{"${home}", "~", "$home", "%userprofile%"} {
		for _, sep := range []string{"/", `\`} {
			switch strings.TrimPrefix(strings.ToLower(trimmed), home+sep) {
			case "desktop", "documents", "downloads", "library", "appdata", ".config", "pictures", "music", "movies", "videos", "onedrive", "library/application support":
				return "a whole personal folder"
			case ".ssh", ".aws", ".gnupg", ".kube", ".docker":
				return "a folder of keys"
			case "..":
				return "a whole personal folder"
			}
		}
	}
	if oneHome().MatchString(trimmed) {
		return "a home folder"
	}
	return ""
}
