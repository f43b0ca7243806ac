package lint

import (
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"satchel/mcpb/manifest"
)

func privacyRules() []Rule {
	return []Rule{{
		ID: "lint/privacy-policy", Title: "Hosts, and no privacy policy",
		Why: "A server that talks to a service sends it something of the person's. Directories of extensions ask for a link to that service's privacy policy, " +
			"and the person needs one to decide.",
		Fix:    `add "privacy_policies": ["https://…"] with the policy of the service (manifest_version 0.2 or newer)`,
		Bad:    `"env": {"API_URL": "https://api.service.org"}`,
		Good:   `"env": {"API_URL": "https://api.service.org"}, "privacy_policies": ["https://service.org/privacy"]`,
		Source: mcpbSource, Author: Warning, Reviewer: Warning, check: checkPrivacy,
	}}
}

// checkPrivacy looks for hosts in the command and in the author's programs.
func checkPrivacy(c *check) {
	if len(c.manifest.PrivacyPolicies) > 0 {
		return
	}
	links := manifestLinks(c.manifest)
	hosts := map[string]Finding{}
	see := func(address string, where func() Finding) {
		host := foreignHost(address)
		if _, known := hosts[host]; host == "" || known || links[address] {
			return
		}
		hosts[host] = where()
	}
	for _, keys := range [][]any{{"server", "mcp_config"}, {"user_config"}} {
		for v := range c.outline.Texts(keys...) {
			if key := v.Keys[len(v.Keys)-1]; key != "description" && key != "title" {
				see(addressIn(v.Text), func() Finding { return c.atText(v, "") })
			}
		}
	}
	for _, f := range c.tree.files {
		if f.source == nil || forReaders(f.name) {
			continue
		}
		for _, u := range f.source.urls {
			see(u.what, func() Finding { return inFile(f.name, u.spot, "") })
		}
	}
	if len(hosts) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(hosts))
	f := hosts[names[0]]
	f.Message = "names " + list(names) + ", and the manifest links to no privacy policy"
	c.add(f)
}

// manifestLinks are the links for readers.
func manifestLinks(m *manifest.Manifest) map[string]bool {
	links := map[string]bool{m.Homepage: true, m.Documentation: true, m.Support: true, m.Author.URL: true}
	if m.Repository != nil {
		links[m.Repository.URL] = true
	}
	return links
}

// addressIn gives the first address in a text, such as that in "--url=https://a.b/c".
func addressIn(text string) string {
	for _, scheme := range []string{"https://", "http://", "wss://", "ws://"} {
		if i := strings.Index(text, scheme); i >= 0 {
			end := strings.IndexAny(text[i:], " \"'`<>,;|")
			if end < 0 {
				end = len(text) - i
			}
			return text[i : i+end]
		}
	}
	return ""
}

// foreignHost gives the host of an address that something may be sent to: not this machine, not its own network, no
// example, no page that documents or names something.
func foreignHost(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if !strings.Contains(host, ".") || strings.ContainsAny(host, "$%{}()[]*+: ") || isExample(host) || isPrivateAddress(host) || isReading(host, u.Path) {
		return ""
	}
	return host
}

func isExample(host string) bool {
	for _, end := range []string{"example.com", "example.org", "example.net", ".example", ".test", ".invalid", ".localhost", ".local", ".internal", ".lan", ".home.arpa"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	for part := range strings.SplitSeq(host, ".") {
		if strings.HasPrefix(part, "your") || strings.HasPrefix(part, "my-") || part == "example" || part == "foo" || part == "bar" || part == "mycompany" || part == "company" || part == "domain" {
			return true
		}
	}
	return false
}

// isPrivateAddress knows the addresses of this machine and of its own network (RFC 1918, RFC 1122).
func isPrivateAddress(host string) bool {
	for _, start := range []string{"127.", "10.", "192.168.", "0.", "169.254."} {
		if strings.HasPrefix(host, start) && strings.Trim(host, "0123456789.") == "" {
			return true
		}
	}
	return false
}

// isReading knows the hosts that programs name as a reference for readers or as a name for a format.
func isReading(host, pathOf string) bool {
	first, _, _ := strings.Cut(host, ".")
	switch first {
	case "docs", "doc", "developer", "developers", "wiki", "help", "support", "spec", "schema", "schemas", "json-schema":
		return true
	}
	if strings.HasSuffix(host, ".github.io") || strings.HasSuffix(host, ".js.org") || strings.HasSuffix(host, ".whatwg.org") || strings.HasSuffix(host, ".readthedocs.io") ||
		strings.HasPrefix(pathOf, "/docs") || strings.HasPrefix(pathOf, "/ajv-validator/") { // the last is a name of ajv's own schema
		return true
	}
	switch strings.TrimPrefix(host, "www.") {
	case "reactjs.org", "react.dev", "fb.me", "zod.dev", "expressjs.com", "hono.dev", "lodash.com", "openjsf.org", "typestrong.org", "typescriptlang.org",
		"w3.org", "json-schema.org", "schema.org", "github.com", "gitlab.com", "npmjs.com", "pypi.org", "nodejs.org", "python.org", "opensource.org", "apache.org",
		"spdx.org", "modelcontextprotocol.io", "ietf.org", "rfc-editor.org", "tools.ietf.org", "datatracker.ietf.org", "stackoverflow.com", "wikipedia.org",
		"en.wikipedia.org", "mozilla.org", "purl.org", "xmlns.com", "unicode.org", "creativecommons.org", "tc39.es", "ecma-international.org",
		"astral.sh", "anthropic.com", "brew.sh", "git-scm.com", "microsoft.com", "openxmlformats.org", "schemas.openxmlformats.org":
		return true
	}
	switch path.Ext(pathOf) {
	case ".md", ".xsd", ".dtd":
		return true
	}
	return false
}
