package mcpb

import (
	"path"
	"strings"
)

// findSecret tells why a file looks like a secret that nobody means to publish; "" when it does not. Where a link was
// followed both names count, that in the bundle and that on disk.
func findSecret(open opener, source, name string, size int64) (string, error) {
	names := []string{strings.ToLower(name), strings.ToLower(source)}
	if name == source {
		names = names[:1]
	}
	for _, n := range names {
		if why := secretName(n); why != "" {
			return why, nil
		}
	}
	for _, n := range names {
		if limit := keyLimit(path.Base(n), size); limit > 0 {
			return findKey(open, source, min(limit, size), limit == mostNamed)
		}
	}
	return "", nil
}

// SecretName tells why a file looks, by its path alone, like a secret that nobody means to publish, such as "secret: an
// SSH private key"; "" when it does not. Pack leaves such files out.
func SecretName(name string) string { return secretName(strings.ToLower(name)) }

// secretName knows the files that are secrets whatever is in them, by their lower-case path.
func secretName(name string) string {
	for _, ending := range []string{".bak", ".backup", ".old", ".orig", ".save", ".copy", "~"} {
		name = strings.TrimSuffix(name, ending)
	}
	base, slashed := path.Base(name), "/"+name
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk":
		return "secret: an SSH private key"
	case ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".vault-token",
		"credentials", "application_default_credentials.json":
		return "secret: credentials"
	case ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults", "example.env", "sample.env", "template.env", "dist.env", "defaults.env":
		return "" // these show the names and no values
	}
	switch {
	case strings.HasPrefix(base, ".env"), path.Ext(base) == ".env":
		return "secret: an environment file"
	case isCredentials(base, slashed):
		return "secret: credentials"
	case strings.Contains(slashed, "/.ssh/"), strings.Contains(slashed, "/.gnupg/"):
		return "secret: in a folder of keys"
	}
	switch path.Ext(base) {
	case ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk":
		return "secret: a store of private keys"
	}
	return ""
}

// isCredentials knows the files in which tools keep what they log in with.
func isCredentials(base, slashed string) bool {
	if strings.HasPrefix(base, "client_secret") && path.Ext(base) == ".json" {
		return true
	}
	if strings.TrimSuffix(base, path.Ext(base)) == "credentials" {
		switch path.Ext(base) {
		case ".json", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".conf", ".csv", ".xml", ".properties", ".db", ".txt":
			return true
		}
	}
	switch {
	case strings.HasSuffix(slashed, "/.docker/config.json"), strings.HasSuffix(slashed, "/.kube/config"),
		strings.Contains(slashed, "/.azure/") && (strings.Contains(base, "token") || strings.HasPrefix(base, "service_principal")),
		strings.Contains(slashed, "/gcloud/") && (base == "access_tokens.db" || strings.Contains(slashed, "/legacy_credentials/")):
		return true
	}
	return false
}
