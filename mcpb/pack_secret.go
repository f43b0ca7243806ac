package mcpb

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// findSecret tells why a file looks like a secret that nobody means to publish; "" when it does not. Where a link was
// followed both names count, that in the bundle and that on disk.
func findSecret(root *os.Root, source, name string) (string, error) {
	for _, n := range []string{name, source} {
		if why := secretName(strings.ToLower(n)); why != "" {
			return why, nil
		}
		if mayHoldKey(strings.ToLower(path.Base(n))) {
			found, err := holdsKey(root, source)
			if err != nil || found {
				return "secret: a private key", err
			}
		}
		if name == source {
			break
		}
	}
	return "", nil
}

// SecretName tells why a file looks, by its path alone, like a secret that nobody means to publish, such as "secret: an
// SSH private key"; "" when it does not. Pack leaves such files out.
func SecretName(name string) string { return secretName(strings.ToLower(name)) }

// secretName knows the files that are secrets whatever is in them, by their lower-case path.
func secretName(name string) string {
	base, slashed := path.Base(name), "/"+name
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk":
		return "secret: an SSH private key"
	case ".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".vault-token",
		"credentials.json", "application_default_credentials.json":
		return "secret: credentials"
	case ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults":
		return "" // these show the names and no values
	}
	switch {
	case strings.HasPrefix(base, ".env"):
		return "secret: an environment file"
	case strings.HasPrefix(base, "client_secret") && path.Ext(base) == ".json",
		strings.HasSuffix(slashed, "/.aws/credentials"), strings.HasSuffix(slashed, "/.docker/config.json"), strings.HasSuffix(slashed, "/.kube/config"):
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

// mayHoldKey knows the files whose content decides: a .pem may be a public certificate, which must go in, and a service
// account's key is a private key inside JSON.
func mayHoldKey(base string) bool {
	switch path.Ext(base) {
	case ".pem", ".key", ".p8", ".pkcs8":
		return true
	case ".json":
		return strings.Contains(strings.NewReplacer("-", "", "_", "").Replace(base), "serviceaccount")
	}
	return false
}

// holdsKey looks for the header of a private key (RFC 7468, sections 10 and 11) in the first MiB.
func holdsKey(root *os.Root, source string) (bool, error) {
	f, err := root.OpenFile(filepath.FromSlash(source), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<20))
	return bytes.Contains(head, []byte("PRIVATE KEY-----")), err
}
