package lint

import (
	"slices"
	"strings"

	"satchel/internal/spell"
)

func nameRules() []Rule {
	return []Rule{{
		ID: "lint/look-alike-name", Title: "A name that is close to a well-known one",
		Why: "Who types or reads a name in a hurry gets the extension that counts on it. Compared are the letters as they look, one letter more, less or other, " +
			"and the same words in another order; \"mcp\", \"server\" and their like do not count.",
		Fix:    "choose a name of your own; when it is yours by right, say so under _meta",
		Bad:    `"name": "flesystem"`,
		Good:   `"name": "acme-shared-folders"`,
		Source: "a list of well-known servers: those of github.com/modelcontextprotocol/servers, and public bundles and npm packages as of 2026-11",
		Author: Warning, Reviewer: Error, check: checkName,
	}}
}

func checkName(c *check) {
	for _, key := range []string{"name", "display_name"} {
		v, ok := c.outline.Find(key)
		if !ok || !v.IsText {
			continue
		}
		if known, how := nearName(v.Text); known != "" {
			c.add(c.atText(v, "%s %s the well-known %s", quote(v.Text), how, quote(known)))
			return
		}
	}
}

// nearName finds the well-known name that a name could be taken for, and how; "" when it is one itself, or near none.
func nearName(name string) (known, how string) {
	if len(name) > 200 {
		return "", ""
	}
	exact := core(strings.ToLower(name))
	if slices.Contains(wellKnown(), strings.Join(exact, "-")) {
		return "", ""
	}
	words := core(fold(name))
	joined := strings.Join(words, "")
	if joined == "" {
		return "", ""
	}
	for _, k := range wellKnown() {
		parts := strings.Split(k, "-")
		plain := strings.Join(parts, "")
		switch {
		case joined == plain:
			if strings.Join(exact, "") != plain { // not only other separators: context-7 is context7
				return k, "is written with letters that look like those of"
			}
			return "", ""
		case sketch(joined) == sketch(plain) && len(plain) >= 4:
			return k, "looks like"
		case len(parts) > 1 && len(words) == len(parts) && slices.Equal(sorted(words), sorted(parts)):
			return k, "has the same words as"
		case isTypo(joined, plain):
			return k, "is one letter from"
		}
	}
	return "", ""
}

// isTypo tells whether one letter differs; of short names too many do by chance.
func isTypo(a, b string) bool {
	return len(a) <= 64 && len(b) >= 6 && a[0] == b[0] && a+"s" != b && b+"s" != a && spell.Distance(a, b) == 1
}

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }

// core gives the words of a name that tell it from others.
func core(name string) []string {
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-_. /@:", r) })
	return slices.DeleteFunc(words, func(w string) bool {
		switch w {
		case "mcp", "server", "mcpb", "dxt", "extension", "desktop-extension", "claude", "modelcontextprotocol", "bundle", "the", "for", "official":
			return true
		}
		return false
	})
}

// wellKnown are names that people look for, without "mcp" and its like.
func wellKnown() []string {
	return strings.Fields(`
		filesystem memory everything sequential-thinking fetch git time github gitlab slack postgres sqlite puppeteer brave-search google-maps
		google-drive sentry redis everart aws-kb-retrieval
		context7 playwright desktop-commander figma notion linear stripe supabase cloudflare atlassian airtable apify mapbox postman neo4j mongodb
		elasticsearch kintone line-bot monday zapier firecrawl tavily perplexity prisma docker kubernetes terraform grafana datadog snowflake
		databricks bigquery shopify paypal hubspot salesforce zendesk intercom asana trello jira confluence todoist obsidian spotify youtube
		discord telegram whatsapp gmail outlook computer-use chrome-devtools browserbase browser-use windows-mcp macos-mcp pdf-filler pdf-tools
		markitdown markdownify docling blockscout hyperliquid huggingface ollama anthropic openai vercel netlify heroku azure pinecone qdrant
		chroma weaviate clickhouse duckdb mysql mariadb vault-secrets onepassword bitwarden wordpress things apple-notes imessage`)
}
