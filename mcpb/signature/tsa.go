package signature

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/digitorus/timestamp"

	"satchel/internal/problem"
)

// The bounds of asking a timestamping authority.
const (
	maxResponse = 64 << 10
	tsaTimeout  = 30 * time.Second
)

// AskTSA makes a [Stamper] that asks the timestamping authority at an http or https address (RFC 3161), through the proxy
// that the environment names. The answer is bounded, and held to the rules of Verify but for trust. http is as good as
// https here: the answer is signed, and is for this request alone.
func AskTSA(address string) (Stamper, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, problem.New(problem.Usage, "sign/tsa-address", "is no http or https address").At(ShownAddress(address))
	}
	client := &http.Client{Timeout: tsaTimeout, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	return func(ctx context.Context, digest []byte) ([]byte, error) {
		token, err := askTSA(ctx, client, address, digest)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, problem.New(problem.Failed, "sign/tsa", "the timestamping authority gave no timestamp").At(ShownAddress(address)).Because(err).
				Try("try again, or another authority with --tsa URL")
		}
		return token, nil
	}, nil
}

// ShownAddress is an address without the name and the password that may stand in it, for messages.
func ShownAddress(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	scheme, _, found := strings.Cut(address, "//")
	if !found || len(scheme) > at {
		return address[at+1:]
	}
	return scheme + "//" + address[at+1:]
}

func askTSA(ctx context.Context, client *http.Client, address string, digest []byte) ([]byte, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	req := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: digest, Certificates: true, Nonce: nonce}
	der, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	body, err := post(ctx, client, address, der)
	if err != nil {
		return nil, err
	}
	resp, err := timestamp.ParseResponse(body)
	switch {
	case err != nil:
		return nil, err
	case resp.Nonce == nil || resp.Nonce.Cmp(nonce) != 0:
		return nil, errText("its answer is for another request")
	case !bytes.Equal(resp.HashedMessage, digest):
		return nil, errText("its answer is for another signature")
	case len(resp.Certificates) == 0:
		return nil, errText("its answer is without its certificate")
	}
	return plainAlgorithm(resp.RawToken), nil
}

type errText string

func (e errText) Error() string { return string(e) }

func post(ctx context.Context, client *http.Client, address string, query []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errText("it answered " + resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && len(body) > maxResponse {
		err = errText("its answer is too large")
	}
	return body, err
}

// plainAlgorithm names an RSA signature algorithm as the verifier wants it. Authorities write either rsaEncryption or,
// say, sha256WithRSAEncryption; the field is not signed, and both mean the same, since the digest stands beside it.
func plainAlgorithm(token []byte) []byte {
	if _, err := parseCMS(token, tokenForm()); err == nil {
		return token
	}
	plain := oidBytes(oidRSA())
	for _, last := range []byte{11, 12, 13} { // with SHA-256, SHA-384, SHA-512
		long := append(plain[:len(plain)-1:len(plain)-1], last)
		// The signer's information is the last part: the last mention is its field, if the signature's bytes do not
		// happen to hold another; then the token stays refused.
		if at := bytes.LastIndex(token, long); at >= 0 {
			changed := bytes.Clone(token)
			copy(changed[at:], plain)
			if _, err := parseCMS(changed, tokenForm()); err == nil {
				return changed
			}
		}
	}
	return token
}
