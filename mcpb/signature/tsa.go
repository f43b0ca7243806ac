package signature

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

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
	query, err := stampQuery(digest, nonce)
	if err != nil {
		return nil, err
	}
	body, err := post(ctx, client, address, query)
	if err != nil {
		return nil, err
	}
	token, err := stampAnswer(body)
	if err != nil {
		return nil, err
	}
	token = plainAlgorithm(token)
	_, info, err := readToken(token, digest)
	if err == nil && (info.nonce == nil || info.nonce.Cmp(nonce) != 0) {
		err = errText("its answer is for another request")
	}
	return token, err
}

// stampQuery makes a TimeStampReq (RFC 3161 2.4.1) that wants the authority's certificate in the answer.
func stampQuery(digest []byte, nonce *big.Int) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addSHA256(b)
			b.AddASN1OctetString(digest)
		})
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true)
	})
	return b.Bytes()
}

// stampAnswer takes the token out of a TimeStampResp (RFC 3161 2.4.2). The libraries that could do it read BER, and panic
// at some of it.
func stampAnswer(body []byte) ([]byte, error) {
	p := &parser{}
	s := p.only(body, asn1.SEQUENCE, "its answer")
	info := p.in(&s, asn1.SEQUENCE, "the status of its answer")
	status := 0
	if p.err == nil && !info.ReadASN1Integer(&status) {
		p.fail("its answer has no status")
	}
	if status > 1 { // 0 is granted, 1 granted with changes
		p.fail("the request is rejected (status %d)%s", status, statusText(info))
	}
	return s, p.err
}

// statusText is what an authority says for people, when it says anything.
func statusText(info cryptobyte.String) string {
	var list, text cryptobyte.String
	if !info.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&text, asn1.UTF8String) {
		return ""
	}
	return ": " + strings.ToValidUTF8(string(text), "?")
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
