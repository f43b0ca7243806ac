package signer

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// A file says itself how much work its password is. These bounds are far above what programs choose, and some seconds or
// 256 MiB at most.
const (
	maxRounds       = 10_000_000
	maxScryptMemory = 256 << 20
	maxScryptLanes  = 16
)

// A lockedKey is an encrypted PKCS#8 key (RFC 5958) in the way of PBES2 (RFC 8018).
type lockedKey struct {
	data, iv []byte
	keySize  int
	cipher   func(key []byte) (cipher.Block, error)
	derive   func(password []byte, size int) ([]byte, error)
}

var errWrongPassword = errors.New("what comes out is no key")

// parseLocked reads all but the password: what cannot be opened with any is refused before it is asked for.
func parseLocked(der []byte) (*lockedKey, error) {
	var outer struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	var scheme struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	k := &lockedKey{}
	if err := unmarshal(der, &outer); err != nil {
		return nil, err
	}
	if oid := outer.Algorithm.Algorithm.String(); oid != "1.2.840.113549.1.5.13" {
		return nil, fmt.Errorf("its encryption %s is not PBES2", oid)
	}
	err := unmarshal(outer.Algorithm.Parameters.FullBytes, &scheme)
	if err == nil {
		err = k.readCipher(scheme.Cipher, outer.Data)
	}
	if err == nil {
		err = k.readKDF(scheme.KDF)
	}
	return k, err
}

func (k *lockedKey) readCipher(a pkix.AlgorithmIdentifier, data []byte) error {
	k.data, k.cipher = data, aes.NewCipher
	block := aes.BlockSize
	switch a.Algorithm.String() {
	case "2.16.840.1.101.3.4.1.2":
		k.keySize = 16
	case "2.16.840.1.101.3.4.1.22":
		k.keySize = 24
	case "2.16.840.1.101.3.4.1.42":
		k.keySize = 32
	case "1.2.840.113549.3.7":
		k.keySize, k.cipher, block = 24, des.NewTripleDESCipher, des.BlockSize
	default:
		return fmt.Errorf("its cipher %s is not known here", a.Algorithm)
	}
	if err := unmarshal(a.Parameters.FullBytes, &k.iv); err != nil {
		return err
	}
	if len(k.iv) != block || len(data) == 0 || len(data)%block != 0 {
		return errors.New("it is damaged: the lengths do not fit the cipher")
	}
	return nil
}

func (k *lockedKey) readKDF(a pkix.AlgorithmIdentifier) error {
	switch a.Algorithm.String() {
	case "1.2.840.113549.1.5.12":
		return k.readPBKDF2(a.Parameters.FullBytes)
	case "1.3.6.1.4.1.11591.4.11":
		return k.readScrypt(a.Parameters.FullBytes)
	}
	return fmt.Errorf("its key derivation %s is not known here", a.Algorithm)
}

func (k *lockedKey) readPBKDF2(der []byte) error {
	var p struct {
		Salt      []byte
		Rounds    int
		KeyLength int                      `asn1:"optional"`
		PRF       pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	if err := unmarshal(der, &p); err != nil {
		return err
	}
	if p.Rounds < 1 || p.Rounds > maxRounds {
		return fmt.Errorf("it wants %d rounds of PBKDF2; at most %d are made", p.Rounds, maxRounds)
	}
	var h func() hash.Hash
	switch p.PRF.Algorithm.String() {
	case "", "1.2.840.113549.2.7":
		h = sha1.New
	case "1.2.840.113549.2.8":
		h = sha256.New224
	case "1.2.840.113549.2.9":
		h = sha256.New
	case "1.2.840.113549.2.10":
		h = sha512.New384
	case "1.2.840.113549.2.11":
		h = sha512.New
	default:
		return fmt.Errorf("its PBKDF2 function %s is not known here", p.PRF.Algorithm)
	}
	k.derive = func(password []byte, size int) ([]byte, error) {
		return pbkdf2.Key(h, string(password), p.Salt, p.Rounds, size)
	}
	return nil
}

func (k *lockedKey) readScrypt(der []byte) error {
	var p struct {
		Salt      []byte
		N, R, P   int
		KeyLength int `asn1:"optional"`
	}
	if err := unmarshal(der, &p); err != nil {
		return err
	}
	if p.N < 2 || p.R < 1 || p.P < 1 || p.P > maxScryptLanes || p.N > maxScryptMemory/128 || p.R > maxScryptMemory/128/p.N {
		return fmt.Errorf("it wants scrypt with N=%d r=%d p=%d; at most 256 MiB and %d lanes are used", p.N, p.R, p.P, maxScryptLanes)
	}
	k.derive = func(password []byte, size int) ([]byte, error) {
		return scrypt.Key(password, p.Salt, p.N, p.R, p.P, size)
	}
	return nil
}

// open gives the PKCS#8 key inside. A wrong password mostly shows in the padding, else in that no key comes out.
func (k *lockedKey) open(password []byte) ([]byte, error) {
	key, err := k.derive(password, k.keySize)
	if err != nil {
		return nil, err
	}
	block, err := k.cipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(k.data))
	cipher.NewCBCDecrypter(block, k.iv).CryptBlocks(plain, k.data)
	n := int(plain[len(plain)-1])
	if n == 0 || n > block.BlockSize() || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errWrongPassword
	}
	return plain[:len(plain)-n], nil
}

func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err != nil || len(rest) > 0 {
		return errors.New("it is damaged: its parameters are malformed")
	}
	return nil
}
