package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/internal/trust"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

type verifyOptions struct {
	bundle   string
	roots    []string
	pins     []string
	crls     []string
	noSystem bool
}

// A verifyResult is the JSON document of verify.
type verifyResult struct {
	File string `json:"file"`
	*signature.Report
}

func newVerify(a *app) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:     "verify FILE",
		GroupID: "author",
		Short:   "Verify a bundle's signature",
		Long: `Says whether a bundle is as its signer signed it, who that was, and whether you trust them: through an authority of this
system, of satchel trust or of --roots, or because his certificate is pinned. The certificate must be for signing code.
Certificates are held to the moment of the timestamp when a trusted authority made one, else to now.

The outcome is one of: trusted, untrusted, self-signed, expired, revoked, unsigned, tampered, malformed.`,
		Example:     "  satchel verify my.mcpb\n  satchel verify my.mcpb --roots company-ca.pem --no-system-roots\n  satchel verify my.mcpb --pin sha256:2f1c...  --json",
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, 5 not trusted, 6 not found, 8 unsigned, 9 tampered or malformed"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.bundle = args[0]
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return o.print(a, res)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.roots, "roots", nil, "authorities to trust besides, PEM (repeatable)")
	f.StringArrayVar(&o.pins, "pin", nil, "the fingerprint of a signer's certificate to trust (repeatable)")
	f.StringArrayVar(&o.crls, "crl", nil, "a revocation list, PEM or DER (repeatable)")
	f.BoolVar(&o.noSystem, "no-system-roots", false, "do not trust the authorities of this system")
	return cmd
}

func (o verifyOptions) run(ctx context.Context, a *app) (*verifyResult, error) {
	t, err := await(ctx, func() (signature.Trust, error) { return o.trust(a) }) // a list may come through a pipe
	if err != nil {
		return nil, err
	}
	rep, err := await(ctx, func() (*signature.Report, error) { return verifyFile(o.bundle, t, time.Now()) })
	if err != nil {
		return nil, err
	}
	return &verifyResult{o.bundle, rep}, nil
}

// trust is what the user keeps, with what the flags add.
func (o verifyOptions) trust(a *app) (signature.Trust, error) {
	entries, err := a.kept()
	if err != nil {
		return signature.Trust{}, err
	}
	for _, name := range o.roots {
		more, err := readKind(name, false)
		if err != nil {
			return signature.Trust{}, err
		}
		entries = append(entries, more...)
	}
	for _, name := range o.crls {
		more, err := readKind(name, true)
		if err != nil {
			return signature.Trust{}, err
		}
		entries = append(entries, more...)
	}
	for _, pin := range o.pins {
		e, err := trust.OfFingerprint(pin)
		if err != nil {
			return signature.Trust{}, err
		}
		entries = append(entries, e)
	}
	t := trust.Of(entries)
	t.System = !o.noSystem
	return t, nil
}

// readKind reads a file of revocation lists, or one of certificates, and refuses one that holds the other: a list is
// mostly fetched from where anybody could have put a certificate.
func readKind(name string, lists bool) ([]trust.Entry, error) {
	entries, err := trust.ReadFile(name, false)
	for _, e := range entries {
		switch {
		case lists && e.Kind != trust.CRL:
			return nil, problem.New(problem.Invalid, "trust/file", "holds a certificate, where a revocation list belongs").At(name).Try("--roots takes the certificates of authorities")
		case !lists && e.Kind == trust.CRL:
			return nil, problem.New(problem.Invalid, "trust/file", "holds a revocation list, where certificates belong").At(name).Try("--crl takes revocation lists")
		}
	}
	return entries, err
}

// trust is whom the user trusts without flags: what he keeps, and the authorities of this system.
func (a *app) trust() (signature.Trust, error) {
	entries, err := a.kept()
	t := trust.Of(entries)
	t.System = true
	return t, err
}

// kept gives what the user trusts.
func (a *app) kept() ([]trust.Entry, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	if err := paths.Own(home.Config); err != nil { // others could say there whom to trust
		return nil, err
	}
	return trust.Open(home.Config).List()
}

// verifyFile verifies the bundle in a file. One that ends with a signature block and is no valid bundle is reported as
// tampered with, or malformed: an error would hide that somebody had signed it.
func verifyFile(name string, t signature.Trust, now time.Time) (*signature.Report, error) {
	b, err := mcpb.Open(name, mcpb.Limits{})
	if err != nil {
		rep := &signature.Report{Status: signature.Malformed, Reasons: []string{err.Error()}, Chain: []signature.Certificate{}}
		switch code := problem.CodeOf(err); {
		case code == problem.Tampered:
			return rep, nil
		case code == problem.Invalid && endsWithBlock(name):
			rep.Status, rep.Blocks = signature.Tampered, 1
			rep.Reasons = []string{"it ends with a signature, and is no valid bundle: " + err.Error()}
			return rep, nil
		}
		return nil, err
	}
	rep, err := b.Verify(t, now)
	return rep, errors.Join(err, b.Close())
}

func endsWithBlock(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	start := max(0, info.Size()-signature.MaxBlock)
	data, err := io.ReadAll(io.NewSectionReader(f, start, signature.MaxBlock))
	if err != nil {
		return false
	}
	blocks, err := signature.Find(data, start)
	return err != nil || len(blocks) > 0
}

func (o verifyOptions) print(a *app, res *verifyResult) error {
	err := a.show(res, func() { printReport(a.out, term.VisibleLine(res.File), res.Report) })
	if err == nil {
		err = a.out.Err() // a verdict that was not shown is none
	}
	if bad := res.Err(); err == nil && bad != nil {
		return errors.Join(bad, errShown)
	}
	return err
}

func printReport(o *term.Out, file string, r *signature.Report) {
	mark := o.Red
	switch r.Status {
	case signature.Trusted:
		mark = o.Green
	case signature.SelfSigned, signature.Untrusted, signature.Unsigned:
		mark = o.Yellow
	}
	o.Printf("%s %s\n", mark(string(r.Status)+":"), file)
	line := func(label, format string, args ...any) {
		o.Printf("  %-12s %s\n", label, term.VisibleLine(fmt.Sprintf(format, args...)))
	}
	if s := r.Signer; s != nil {
		line(map[bool]string{true: "claims to be", false: "signer"}[r.Claimed()], "%s", s.Subject)
		line("issuer", "%s", s.Issuer)
		line("key", "%s", s.Key)
		line("fingerprint", "%s", s.Fingerprint)
		line("valid", "%s to %s", s.NotBefore.Format(time.DateOnly), s.NotAfter.Format(time.DateOnly))
	}
	if len(r.Chain) > 1 {
		names := make([]string, len(r.Chain))
		for i, c := range r.Chain {
			names[i] = c.Subject
		}
		line("chain", "%s", strings.Join(names, " <- "))
	}
	if r.SigningTime != nil {
		line("signed", "%s (as the signer says)", r.SigningTime.Format(time.RFC3339))
	}
	if ts := r.Timestamp; ts != nil {
		line("timestamp", "%s by %s", ts.Time.Format(time.RFC3339), ts.TSA)
	}
	if r.Blocks > 1 {
		line("blocks", "%d, one around the other; the outermost was verified", r.Blocks)
	}
	for _, why := range r.Reasons {
		line("because", "%s", why)
	}
	if r.Status == signature.Untrusted || r.Status == signature.SelfSigned {
		o.Printf("  if you know the signer: satchel trust add %s\n", r.Fingerprint)
	}
}
