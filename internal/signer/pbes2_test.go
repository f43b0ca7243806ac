package signer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

type pbkdf2Params struct {
	Salt      []byte
	Rounds    int
	KeyLength int `asn1:"optional"`
	PRF       pkix.AlgorithmIdentifier
}

type scryptParams struct {
	Salt    []byte
	N, R, P int
}

func algorithm(t *testing.T, params any, oid ...int) pkix.AlgorithmIdentifier {
	t.Helper()
	der, err := asn1.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	return pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.RawValue{FullBytes: der}}
}

func locked(t *testing.T, kdf pkix.AlgorithmIdentifier, iv, data []byte) []byte {
	t.Helper()
	scheme := struct{ KDF, Cipher pkix.AlgorithmIdentifier }{kdf, algorithm(t, iv, 2, 16, 840, 1, 101, 3, 4, 1, 42)}
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{algorithm(t, scheme, 1, 2, 840, 113549, 1, 5, 13), data})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func rounds(t *testing.T, n int) pkix.AlgorithmIdentifier {
	sha := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, Parameters: asn1.NullRawValue}
	return algorithm(t, pbkdf2Params{[]byte("salt"), n, 32, sha}, 1, 2, 840, 113549, 1, 5, 12)
}

func memory(t *testing.T, n, r, p int) pkix.AlgorithmIdentifier {
	return algorithm(t, scryptParams{[]byte("salt"), n, r, p}, 1, 3, 6, 1, 4, 1, 11591, 4, 11)
}

// A key file says how much work its password is. Such a file must not end the program, nor keep it busy for years, and
// nobody is asked for the password of what no password opens.
func TestHostileKeys(t *testing.T) {
	t.Parallel()
	block := make([]byte, 16)
	for name, der := range map[string][]byte{
		"rounds for years": locked(t, rounds(t, 1<<31-1), block, block),
		"no rounds":        locked(t, rounds(t, 0), block, block),
		"a short IV":       locked(t, rounds(t, 1), nil, block),
		"a long IV":        locked(t, rounds(t, 1), append(block, 0), block),
		"half a block":     locked(t, rounds(t, 1), block, block[:3]),
		"no block":         locked(t, rounds(t, 1), block, nil),
		"a terabyte":       locked(t, memory(t, 1<<30, 8, 1), block, block),
		"wide blocks":      locked(t, memory(t, 1<<14, 1<<20, 1), block, block),
		"many lanes":       locked(t, memory(t, 1<<14, 8, 1<<20), block, block),
		"more than an int": locked(t, memory(t, 1<<62, 1<<62, 1<<62), block, block),
		"nothing":          {},
		"no fields":        {0x30, 0},
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadKey(file, never); rule(err) != "sign/key-file" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Java writes the length of the key before the function, which is optional.
func TestKeyLengthBeforeTheFunction(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	derived, err := pbkdf2.Key(sha256.New, "secret", []byte("salt"), 7, 32)
	if err != nil {
		t.Fatal(err)
	}
	c, err := aes.NewCipher(derived)
	if err != nil {
		t.Fatal(err)
	}
	n := 16 - len(plain)%16
	plain = append(plain, bytes.Repeat([]byte{byte(n)}, n)...)
	iv, data := make([]byte, 16), make([]byte, len(plain))
	cipher.NewCBCEncrypter(c, iv).CryptBlocks(data, plain)
	got, err := unlock("key", locked(t, rounds(t, 7), iv, data), secret)
	if err != nil || !key.Equal(got) {
		t.Errorf("%v, %v", got, err)
	}
}
