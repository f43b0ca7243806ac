package manifest

import (
	"fmt"
	"io/fs"
	"math"

	"github.com/Masterminds/semver/v3"
)

// A meaning looks at what the schema does not: that what the manifest names is there and fits together. The manifest
// may break its schema: what has another type than it should is passed over.
type meaning struct {
	*checker
	root  *node
	files fs.FS // nil: not looked at
}

func (c *meaning) check() {
	c.identity()
	c.variables()
	options := c.root.get("user_config")
	options.each(func(m *member) { c.option(m, top("user_config").key(m.key)) })
	c.compatibility()
	c.declared("tools", "tool")
	c.declared("prompts", "prompt")
	c.links()
	c.entryPoint()
	c.commands()
	c.pictures()
	c.locale()
}

// top is the place of a key of the manifest.
func top(key string) *place { return (*place)(nil).key(key) }

func (c *meaning) identity() {
	c.olderKey()
	if n := c.root.get("name"); n != nil && n.kind == kString {
		if _, err := ID(Local, n.str); err != nil {
			c.at("manifest/name", Warning, top("name"), n, idFix(n.str), "gives no id: it cannot be installed under this name")
		}
	}
	if n := c.root.get("version"); n != nil && n.kind == kString {
		if _, err := semver.StrictNewVersion(n.str); err != nil {
			c.at("manifest/semver", Warning, top("version"), n, `write it as MAJOR.MINOR.PATCH, such as "1.0.0"`, quote(n.str)+" is not a semantic version")
		}
	}
}

// olderKey: whoever reads 0.3 or later knows the newer name; older readers may know only dxt_version.
func (c *meaning) olderKey() {
	if c.version < v3 || c.root.get("manifest_version") != nil {
		return
	}
	c.root.each(func(m *member) {
		if p := top(m.key); m.key == "dxt_version" {
			f := c.atKey("manifest/version", Hint, nil, m, `name it "manifest_version"`, "is the older name of manifest_version")
			f.by(c.renamedTo("manifest_version", m, p, top("manifest_version")))
		}
	})
}

// option checks one option of user_config against itself.
func (c *meaning) option(m *member, p *place) {
	n := m.val
	typ, _ := n.text("type")
	low, high := n.get("min"), n.get("max")
	if isNumber(low) && isNumber(high) && low.num > high.num {
		c.at("manifest/range", Error, p.key("min"), low, "swap min and max", fmt.Sprintf("%v is larger than max %v", low.num, high.num))
	}
	for _, key := range []string{"min", "max"} {
		if bound := n.get(key); bound != nil && typ != "" && typ != Number {
			c.at("manifest/range", Warning, p.key(key), bound, "leave it out", "is for numbers, not for a "+quote(typ))
		}
	}
	if n.isTrue("multiple") && (typ == Boolean || typ == Number) {
		c.at("manifest/multiple", Warning, p.key("multiple"), n.get("multiple"), "leave it out", "is for folders, files and texts, not for a "+typ)
	}
	if d := n.get("default"); d != nil {
		c.defaultValue(n, d, typ, p.key("default"))
	}
}

func isNumber(n *node) bool { return n != nil && n.kind == kNumber && !math.IsInf(n.num, 0) }

func (c *meaning) defaultValue(n, d *node, typ string, p *place) {
	if why := badDefault(n, d, typ); why != "" {
		c.at("manifest/default", Error, p, d, "", why).by(c.convertedDefault(d, typ, p))
	}
	if n.isTrue("sensitive") && !(d.kind == kString && d.str == "") {
		c.at("manifest/sensitive-default", Warning, p, d, "leave it out", "is a secret that everybody who has the bundle can read")
	}
	if n.isTrue("required") {
		c.at("manifest/required-default", Hint, p, d, `leave out "required" or the default`,
			"does not answer for the person: hosts that follow the reference still ask, because the option is required")
	}
}

// badDefault says why an option would refuse its own default; "" when it would not.
func badDefault(n, d *node, typ string) string {
	wants := map[string]kind{String: kString, Number: kNumber, Boolean: kBool, Directory: kString, File: kString}[typ]
	low, high := n.get("min"), n.get("max")
	switch {
	case wants == "" || d.kind == kObject || d.kind == kNull:
		return "" // the schema has said so
	case d.kind == kArray && !n.isTrue("multiple"):
		return "is a list, but the option takes one value"
	case d.kind != kArray && d.kind != wants:
		return fmt.Sprintf("is %s, the option is a %s", article(d.kind), typ)
	case d.kind == kNumber && isNumber(low) && d.num < low.num:
		return fmt.Sprintf("is smaller than min %v", low.num)
	case d.kind == kNumber && isNumber(high) && d.num > high.num:
		return fmt.Sprintf("is larger than max %v", high.num)
	}
	return ""
}

func (c *meaning) compatibility() {
	compat := c.root.get("compatibility")
	p := top("compatibility")
	if platforms := compat.get("platforms"); platforms != nil && platforms.kind == kArray && len(platforms.items) == 0 {
		c.at("manifest/platforms", Warning, p.key("platforms"), platforms, "leave it out when it runs everywhere", "is empty: hosts may take that as no platform at all")
	}
	runtimes := compat.get("runtimes")
	c.versionRange(runtimes, p.key("runtimes"), "node", `write it like ">=18.0.0 <23"`, SatisfiesNode)
	c.versionRange(runtimes, p.key("runtimes"), "python", `write it like ">=3.10,<4"`, SatisfiesPython)
	c.versionRange(compat, p, "claude_desktop", `write it like ">=0.10.0"`, SatisfiesNode)
}

func (c *meaning) versionRange(n *node, p *place, key, fix string, satisfies func(rng, version string) (bool, error)) {
	text, ok := n.text(key)
	if !ok {
		return
	}
	if _, err := satisfies(text, "1.0.0"); err != nil {
		c.at("manifest/version-range", Warning, p.key(key), n.get(key), fix, quote(text)+" cannot be read as a range of versions")
	}
}

// declared checks the tools or prompts that the manifest lists.
func (c *meaning) declared(key, what string) {
	listed := c.root.get(key)
	if listed == nil {
		return
	}
	seen := map[string]bool{}
	for i, n := range listed.items {
		p := top(key).index(i)
		if name, ok := n.text("name"); ok {
			if seen[name] {
				c.at("manifest/duplicate", Warning, p.key("name"), n.get("name"), "rename or delete one of them", "is the name of another "+what+" too")
			}
			seen[name] = true
		}
		if text, ok := n.text("text"); ok && key == "prompts" {
			c.promptText(n, text, p.key("text"))
		}
	}
}

// links looks at every URL that a host may show as a link.
func (c *meaning) links() {
	check := func(p *place, n *node) {
		if n == nil || n.kind != kString {
			return
		}
		switch scheme, _, _ := cutScheme(n.str); scheme {
		case "javascript", "vbscript", "data", "file", "blob":
			c.at("manifest/link", Warning, p, n, "link to a page: https://...", "is a "+scheme+": link, which hosts must not open")
		}
	}
	for _, key := range []string{"homepage", "documentation", "support"} {
		check(top(key), c.root.get(key))
	}
	check(top("author").key("url"), c.root.get("author").get("url"))
	check(top("repository").key("url"), c.root.get("repository").get("url"))
	if policies := c.root.get("privacy_policies"); policies != nil {
		for i, n := range policies.items {
			check(top("privacy_policies").index(i), n)
		}
	}
}
