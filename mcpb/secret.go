package mcpb

import (
	"bytes"
	"io"
	"os"
	"path"
	"strings"
)

// secretReason tells why a file looks like a secret that nobody means to publish; "" when it does not. Where the name
// alone does not decide, the start of the content does: public certificates must go in.
func secretReason(root *os.Root, source, name string) string {
	base := strings.ToLower(path.Base(name))
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk":
		return "secret: an SSH private key"
	case ".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd", ".dockercfg", ".npmrc":
		return "secret: a file of credentials"
	case "credentials.json", "client_secret.json", "service-account.json", "service_account.json":
		return "secret: a file of credentials"
	}
	slash := "/" + strings.ToLower(name)
	switch {
	case strings.HasPrefix(base, ".env"):
		return "secret: an environment file"
	case strings.Contains(slash, "/.ssh/") || strings.Contains(slash, "/.gnupg/"):
		return "secret: a folder of keys"
	case strings.HasSuffix(slash, "/.aws/credentials") || strings.HasSuffix(slash, "/.docker/config.json") || strings.HasSuffix(slash, "/.kube/config"):
		return "secret: a file of credentials"
	}
	switch path.Ext(base) {
	case ".p12", ".pfx", ".keystore", ".jks", ".kdbx", ".ppk":
		return "secret: a store of keys"
	case ".pem", ".key", ".der", ".p8":
		if privateKey(root, source) {
			return "secret: a private key"
		}
	}
	return ""
}

// privateKey looks for the PEM header of a private key (RFC 7468, section 10 and 11) in the first 64 KiB.
func privateKey(root *os.Root, source string) bool {
	f, err := root.OpenFile(source, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return err == nil && bytes.Contains(head, []byte("PRIVATE KEY-----"))
}
