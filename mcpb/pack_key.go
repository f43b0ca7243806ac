package mcpb

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Files that are private keys are found by their content, whatever their name. Packing must not become slower by that:
// only files whose name and size a key may have are opened.
const (
	leastKey  = 40             // bytes of the smallest key, that of Ed25519 in DER has 48
	mostKey   = 64 << 10       // bytes of a file that is looked at for its content only
	mostNamed = 1 << 20        // bytes that are read of a file with the name of a key: certificates may stand before it
	mark      = "\xef\xbb\xbf" // a byte order mark
	keyHead   = 256            // bytes that tell whether the rest is looked at
)

// keyLimit gives how many bytes of a file are looked at for a key; 0 for a file that is no key by its name or its size.
func keyLimit(base string, size int64) int64 {
	switch {
	case isKeyName(base):
		return mostNamed
	case size < leastKey || size > mostKey || isOther(base):
		return 0
	}
	return mostKey
}

// isKeyName knows the files of which a key is expected, though a .pem may be a public certificate, which must go in.
func isKeyName(base string) bool {
	switch path.Ext(base) {
	case ".pem", ".key", ".p8", ".pkcs8", ".der", ".priv":
		return true
	case ".json":
		return strings.Contains(strings.NewReplacer("-", "", "_", "").Replace(base), "serviceaccount")
	}
	return false
}

// isOther knows the files that hold something else by their name, of which most folders are full. Programs, pages and
// pictures may quote a key, and are none.
func isOther(base string) bool {
	switch path.Ext(base) {
	case "":
		switch base {
		case "license", "licence", "readme", "changelog", "notice", "copying", "authors", "makefile", "dockerfile":
			return true
		}
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".map", ".css", ".scss", ".less", ".html", ".htm", ".vue", ".svelte",
		".py", ".pyi", ".pyc", ".rb", ".go", ".rs", ".c", ".h", ".cc", ".cpp", ".hpp", ".java", ".class", ".php", ".lua", ".swift", ".kt", ".sql", ".sh", ".bat", ".cmd", ".ps1",
		".md", ".markdown", ".rst", ".xml", ".yml", ".yaml", ".toml", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".woff", ".woff2", ".ttf",
		".wasm", ".node", ".so", ".dll", ".dylib", ".exe", ".zip", ".gz", ".tgz", ".whl", ".pdf":
		return true
	case ".json":
		return base == "package.json" || base == "package-lock.json" || base == manifestName || strings.HasPrefix(base, "tsconfig")
	}
	return false
}

// An opener opens a file below the folder that is packed, by its path as the system writes it.
type opener func(name string) (*os.File, error)

// findKey looks into the first limit bytes of a file for a private key; named is whether its name is one of a key.
func findKey(open opener, source string, limit int64, named bool) (string, error) {
	f, err := open(filepath.FromSlash(source))
	if err != nil {
		return "", err
	}
	defer f.Close()
	data := make([]byte, limit)
	n, err := io.ReadFull(f, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return "", err
	}
	if data = data[:n]; !named && !beginsLikeKey(data[:min(n, keyHead)]) {
		return "", nil
	}
	switch {
	case isServiceAccount(data):
		return "secret: the key of a service account", nil
	case holdsKey(data, named), isKeyDER(data):
		return "secret: a private key", nil
	}
	return "", nil
}

// beginsLikeKey tells whether a file may be nothing but a key: text in armour, perhaps below comments or what openssl
// writes above it, a JSON object, or DER.
func beginsLikeKey(head []byte) bool {
	if len(head) > 1 && head[0] == 0x30 && (head[1] < 0x80 || head[1] == 0x81 || head[1] == 0x82) {
		return true // an ASN.1 sequence; a text that begins with 0 is cheap to rule out
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(mark)), " \t\r\n")
	for bytes.HasPrefix(text, []byte("#")) {
		_, after, _ := bytes.Cut(text, []byte("\n"))
		text = bytes.TrimLeft(after, " \t\r\n")
	}
	for _, begin := range []string{"-----BEGIN ", "---- BEGIN SSH2 ", "PuTTY-User-Key-File-", "Bag Attributes", "{"} {
		if bytes.HasPrefix(text, []byte(begin)) {
			return true
		}
	}
	return false
}

// holdsKey looks for the header of a private key, of RFC 7468, OpenSSH, OpenPGP, SSH2 or PuTTY: at the beginning of a
// line, or anywhere in a file that is named like a key.
func holdsKey(data []byte, named bool) bool {
	if named && bytes.Contains(data, []byte("PRIVATE KEY-----")) {
		return true
	}
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte(mark))) {
		line = bytes.TrimSpace(line)
		switch {
		case bytes.HasPrefix(line, []byte("-----BEGIN ")):
			if bytes.HasSuffix(line, []byte("PRIVATE KEY-----")) || bytes.Equal(line, []byte("-----BEGIN PGP PRIVATE KEY BLOCK-----")) {
				return true
			}
		case bytes.HasPrefix(line, []byte("---- BEGIN SSH2 ")) && bytes.Contains(line, []byte("PRIVATE KEY ----")), bytes.HasPrefix(line, []byte("Private-Lines: ")):
			return true
		}
	}
	return false
}

// isServiceAccount knows the JSON key of a Google service account.
func isServiceAccount(data []byte) bool {
	typed := regexp.MustCompile(`"type"\s*:\s*"service_account"`)
	return bytes.Contains(data, []byte(`"private_key"`)) && bytes.Contains(data, []byte("PRIVATE KEY-----")) && typed.Match(data)
}

// isKeyDER knows private keys in DER: PKCS #8 (RFC 5958), encrypted or not, PKCS #1 and DSA, SEC 1 (RFC 5915), and the
// stores of PKCS #12. A certificate and a public key have other parts.
func isKeyDER(data []byte) bool {
	input := cryptobyte.String(data)
	var body, part cryptobyte.String
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() {
		return false
	}
	if body.PeekASN1Tag(asn1.SEQUENCE) { // encrypted: the algorithm, of PKCS #5 or #12, and the key
		pkcs := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05}
		old := []byte{0x06, 0x0a, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c}
		return body.ReadASN1(&part, asn1.SEQUENCE) && (bytes.HasPrefix(part, pkcs) || bytes.HasPrefix(part, old)) &&
			body.ReadASN1(&part, asn1.OCTET_STRING) && body.Empty()
	}
	var version int64
	if !body.ReadASN1Integer(&version) {
		return false
	}
	switch {
	case body.PeekASN1Tag(asn1.OCTET_STRING):
		return version == 1
	case body.ReadASN1(&part, asn1.SEQUENCE):
		return part.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && (version == 3 || version < 2 && body.PeekASN1Tag(asn1.OCTET_STRING))
	}
	numbers := 0
	for body.ReadASN1(&part, asn1.INTEGER) {
		numbers++
	}
	return version < 2 && numbers >= 5
}
