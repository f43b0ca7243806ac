package secret

import "strings"

// A form is what a kind of credential looks like.
type form struct {
	kind   string
	prefix string // two bytes at least
	match  func(data []byte, at int) (start, end int)
}

// forms are those that services document or that their own scanners look for.
func forms() []form {
	list := []form{
		{"a private key", "-----BEGIN ", privateKey},
		{"a PuTTY private key", "PuTTY-User-Key-File-", puttyKey},
		{"a password in a URL", "://", urlPassword},
		{"a token of an npm registry", "_authToken", npmToken},
	}
	for _, t := range tokens() {
		list = append(list, form{t.kind, t.prefix, t.match})
	}
	return list
}

// A charset is what the rest of a token consists of.
type charset string

const (
	digits  charset = "0123456789"
	hex     charset = digits + "abcdef"
	upper   charset = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	base32  charset = upper + "234567"
	base62  charset = upper + "abcdefghijklmnopqrstuvwxyz" + digits
	urlSafe charset = base62 + "_-"
)

// A token is a prefix and least to most characters of a set; most is 0 where there is no limit.
type token struct {
	kind, prefix string
	set          charset
	least, most  int
}

func tokens() []token {
	return []token{
		{"an AWS access key", "AKIA", base32, 16, 16},
		{"a temporary AWS access key", "ASIA", base32, 16, 16},
		{"a GitHub token", "ghp_", base62, 36, 36},
		{"a GitHub token", "gho_", base62, 36, 36},
		{"a GitHub token", "ghu_", base62, 36, 36},
		{"a GitHub token", "ghs_", base62, 36, 36},
		{"a GitHub token", "ghr_", base62, 36, 80},
		{"a GitHub token", "github_pat_", urlSafe, 82, 82},
		{"a GitLab token", "glpat-", urlSafe, 20, 60},
		{"a Slack token", "xoxb-", urlSafe, 40, 80},
		{"a Slack token", "xoxp-", urlSafe, 40, 90},
		{"a Slack token", "xapp-1-", urlSafe, 60, 120},
		{"a Slack webhook", "hooks.slack.com/services/", urlSafe + "/", 40, 60},
		{"an Anthropic key", "sk-ant-", urlSafe, 80, 120},
		{"an OpenAI key", "sk-proj-", urlSafe, 40, 200},
		{"an OpenAI key", "sk-svcacct-", urlSafe, 40, 200},
		{"an OpenAI key", "sk-", base62, 48, 48},
		{"a Google API key", "AIza", urlSafe, 35, 35},
		{"a Google client secret", "GOCSPX-", urlSafe, 28, 28},
		{"a Stripe key", "sk_live_", base62, 24, 120},
		{"a Stripe key", "rk_live_", base62, 24, 120},
		{"a SendGrid key", "SG.", urlSafe + ".", 66, 66},
		{"an npm token", "npm_", base62, 36, 36},
		{"a PyPI token", "pypi-AgEIcHlwaS5vcmc", urlSafe, 50, 0},
		{"a Hugging Face token", "hf_", base62, 34, 40},
		{"a DigitalOcean token", "dop_v1_", hex, 64, 64},
		{"a Shopify token", "shpat_", hex, 32, 32},
		{"a Shopify secret", "shpss_", hex, 32, 32},
		{"an Atlassian token", "ATATT3xFfGF0", urlSafe + "=", 100, 0},
		{"a Linear key", "lin_api_", base62, 40, 40},
		{"a Notion token", "ntn_", base62, 43, 50},
		{"a Figma token", "figd_", urlSafe, 40, 60},
		{"a Databricks token", "dapi", hex, 32, 32},
		{"a Postman key", "PMAK-", hex + "-", 59, 59},
		{"a Supabase token", "sbp_", hex, 40, 40},
		{"an Apify token", "apify_api_", base62, 36, 40},
		{"a Tavily key", "tvly-", urlSafe, 32, 60},
		{"a Groq key", "gsk_", base62, 52, 52},
		{"a Perplexity key", "pplx-", base62, 48, 56},
		{"an xAI key", "xai-", base62, 80, 80},
		{"a Replicate token", "r8_", base62, 37, 37},
		{"an age secret key", "AGE-SECRET-KEY-1", upper + digits, 58, 58},
	}
}

// match wants the whole token, between characters that cannot belong to it.
func (t token) match(data []byte, at int) (int, int) {
	if at > 0 && strings.IndexByte(string(urlSafe), data[at-1]) >= 0 && !afterEscape(data, at) {
		return 0, 0
	}
	start := at + len(t.prefix)
	end, most := start, t.most
	if most == 0 {
		most = 4096
	}
	for end < len(data) && end-start <= most && strings.IndexByte(string(t.set), data[end]) >= 0 {
		end++
	}
	n := end - start
	if n < t.least || n > most || end < len(data) && strings.IndexByte(string(urlSafe), data[end]) >= 0 {
		return 0, 0
	}
	rest := string(data[start:end])
	least := 3.2
	if t.set == hex || t.set == hex+"-" {
		least = 2.8
	}
	if entropy(rest) < least || placeholder(rest) || !strings.ContainsAny(rest, string(digits)) {
		return 0, 0
	}
	return at, end
}

// afterEscape: in "\nghp_..." the n before a token belongs to an escape.
func afterEscape(data []byte, at int) bool {
	return at > 1 && data[at-2] == '\\' && strings.IndexByte("nrt", data[at-1]) >= 0
}
