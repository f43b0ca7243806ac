package lint

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"satchel/internal/lint/secret"
	"satchel/mcpb"
)

func secretRules() []Rule {
	return []Rule{
		{
			ID: "lint/secret", Title: "A secret in the bundle",
			Why: "Everybody who has the bundle can read it: a key or a token in it is public, also after a newer version no longer has it. " +
				"Found are private keys, tokens with a form of their own, passwords in URLs, and literal values of environment variables that are named like secrets.",
			Fix:    "take it out, revoke it, and ask the person for it with a sensitive option of user_config",
			Bad:    `const token = "ghp_…";  // forty characters that work`,
			Good:   `const token = process.env.GITHUB_TOKEN;  // "env": {"GITHUB_TOKEN": "${user_config.token}"}, "sensitive": true`,
			Source: "CWE-798, hard-coded credentials", Author: Error, Reviewer: Error, check: checkSecrets,
		},
		{
			ID: "lint/secret-file", Title: "A file that holds secrets by its name",
			Why: "Files such as .env, id_rsa or credentials.json are made to hold secrets, and get into bundles by accident. " +
				"satchel pack leaves them out by itself; other tools do not.",
			Fix:    "leave it out of the bundle: a line in .mcpbignore; if it was published, revoke what it holds",
			Bad:    "server/.env",
			Good:   "server/.env.example  # names, no values",
			Source: "CWE-798, hard-coded credentials", Author: Error, Reviewer: Error, check: checkSecretFiles,
		},
	}
}

func checkSecrets(c *check) {
	for _, f := range c.tree.files {
		for _, s := range f.secrets {
			c.add(inFile(f.name, s.spot, "holds %s", s.what))
		}
	}
	for v := range c.outline.Texts("server", "mcp_config") {
		name, isKey := v.Keys[len(v.Keys)-1].(string)
		if isKey && len(v.Keys) > 3 && v.Keys[len(v.Keys)-2] == "env" && looksSecret(name) && secret.Value(v.Text) {
			f := c.atText(v, "is a secret in plain text")
			f.Snippet.Marked, f.Snippet.After = mask(f.Snippet.Marked), ""
			c.add(f)
		}
	}
	c.secretArguments()
}

// secretArguments looks for a secret in plain text behind an option that is named like one: --token X, --token=X.
func (c *check) secretArguments() {
	option := ""
	for v := range c.outline.Texts("server", "mcp_config") {
		if !isArgument(v.Keys) {
			continue
		}
		name, value, joined := strings.Cut(v.Text, "=")
		if !joined {
			name, value = option, v.Text
		}
		option = v.Text
		if strings.HasPrefix(name, "-") && looksSecret(name) && secret.Value(value) {
			f := c.atText(v, "is a secret in plain text")
			f.Snippet.Before, f.Snippet.Marked, f.Snippet.After = "", mask(value), ""
			c.add(f)
		}
	}
}

func checkSecretFiles(c *check) {
	for _, f := range c.tree.files {
		why, found := strings.CutPrefix(mcpb.SecretName(f.name), "secret: ")
		if !found || path.Base(f.name) == ".npmrc" || f.dep && forReaders(f.name) { // .npmrc is a secret only with a token in it
			continue
		}
		c.add(inFile(f.name, spot{}, "looks like %s", why))
	}
}

// looksSecret tells whether a name is one of a secret: of an option or of an environment variable.
func looksSecret(name string) bool {
	words := "_" + strings.Join(wordsOf(name), "_") + "_"
	if publicWords().MatchString(words) {
		return false
	}
	return secretWords().MatchString(words)
}

// The patterns of this package are compiled when they are first used: most runs of the program look at nothing.

// The words of a name stand between underscores. What a name ends with decides: an API_KEY_FILE is a path.
var (
	secretWords = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`_(password|passwords|passwd|passphrase|passcode|pwd|secret|secrets|token|credential|credentials|pat|apikey|privatekey|accesskey|` +
			`(api|access|auth|private|secret|license|encryption|signing|service|admin|account|subscription|openai|anthropic)_keys?|bearer|jwt|session_cookie)_`)
	})
	publicWords = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`_(file|path|dir|folder|url|uri|endpoint|host|name|id|ids|ttl|expiry|expires|expiration|timeout|limit|count|size|length|max|` +
			`budget|type|header|provider|prefix|mode|enabled|required|command|env|var|store|cache|refresh_interval|ref|address|symbol)_$|_(max|min|num|public|publishable)_`)
	})
)

// wordsOf splits a name such as apiKey, API_KEY or api-key into lower-case words.
func wordsOf(name string) (words []string) {
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	r := []rune(name[:min(len(name), 200)])
	for i, c := range r {
		isUpper := c >= 'A' && c <= 'Z'
		switch {
		case !(isUpper || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'):
			flush()
			continue
		case isUpper && i > 0 && (r[i-1] >= 'a' && r[i-1] <= 'z' || i+1 < len(r) && r[i+1] >= 'a' && r[i+1] <= 'z'):
			flush()
		}
		word = append(word, c)
	}
	flush()
	return words
}
