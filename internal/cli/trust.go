package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/problem"
	"satchel/internal/term"
	"satchel/internal/trust"
	"satchel/mcpb/signature"
)

// A trustResult is the JSON document of the trust commands.
type trustResult struct {
	Entries []trust.Entry `json:"entries"`
}

func newTrust(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust",
		GroupID: "user",
		Short:   "Say whose signatures you trust",
		Long: `Keeps whose signatures you trust: authorities, the certificates of single signers, and the revocation lists of
authorities. verify and install go by it, beside the authorities of this system.`,
		Example:     "  satchel trust add company-ca.pem\n  satchel trust add sha256:2f1c...\n  satchel trust list\n  satchel trust remove 2f1c8d3a",
		Args:        cobra.ArbitraryArgs,
		Annotations: exits("1 failed, 2 usage, 3 not a certificate, 4 not agreed to, 6 not found, 8 unsigned, 9 tampered"),
		RunE:        func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	cmd.AddCommand(newTrustAdd(a), newTrustList(a), newTrustRemove(a))
	return cmd
}

type trustAddOptions struct {
	sources  []string
	pin, yes bool
}

func newTrustAdd(a *app) *cobra.Command {
	var o trustAddOptions
	cmd := &cobra.Command{
		Use:   "add FILE|FINGERPRINT...",
		Short: "Trust an authority, a signer or a revocation list, after a look",
		Long: `Trusts what a file holds, after it was shown: the certificate of an authority, which then vouches for others; the
certificate of one signer; a revocation list. A bundle stands for its signer, a fingerprint for a signer's certificate.`,
		Example:     "  satchel trust add company-ca.pem\n  satchel trust add company.crl\n  satchel trust add notes.mcpb\n  satchel trust add sha256:2f1c... --yes",
		Args:        wantArgs(1, 100),
		Annotations: exits("1 failed, 2 usage, 3 not a certificate, 4 not agreed to, 6 not found, 8 unsigned, 9 tampered"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.sources = args
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() {
				a.out.Printf("%s: %d added\n", a.out.Green("trusted"), len(res.Entries))
			})
		},
	}
	cmd.Flags().BoolVar(&o.pin, "pin", false, "trust certificates as signers only, not as authorities")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (o trustAddOptions) run(ctx context.Context, a *app) (*trustResult, error) {
	res := &trustResult{}
	for _, source := range o.sources {
		entries, err := await(ctx, func() ([]trust.Entry, error) { return o.read(source) })
		if err != nil {
			return nil, err
		}
		res.Entries = append(res.Entries, entries...)
	}
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	if err := home.Ensure(); err != nil {
		return nil, err
	}
	if !a.json {
		printEntries(a.err, res.Entries)
		a.explain(res.Entries)
	}
	if !o.yes {
		ok, err := a.confirm(ctx, agreement{question: "Trust this?", reviewed: true})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.New(problem.Refused, "cli/agree", "not agreed to; nothing was added")
		}
	}
	return res, trust.Open(home.Config).Add(res.Entries)
}

// explain says what it means to trust entries.
func (a *app) explain(entries []trust.Entry) {
	has := func(k trust.Kind) bool {
		return slices.ContainsFunc(entries, func(e trust.Entry) bool { return e.Kind == k })
	}
	if has(trust.Root) {
		a.err.Println("an authority vouches for every signer that it certifies, today and later; --pin trusts the certificate alone")
	}
	if has(trust.Root) || has(trust.Pin) {
		a.err.Println("anybody can make a certificate of any name: compare the fingerprint with what its owner told you another way")
	}
}

// read gives what one source stands for. A bundle's signer is only taken when the signature is his.
func (o trustAddOptions) read(source string) ([]trust.Entry, error) {
	e, err := trust.OfFingerprint(source)
	if _, missing := os.Stat(source); strings.HasPrefix(strings.ToLower(source), "sha256:") || err == nil && missing != nil {
		return []trust.Entry{e}, err
	}
	if !isBundle(source) {
		return trust.ReadFile(source, o.pin)
	}
	rep, err := verifyFile(source, signature.Trust{}, time.Now())
	if err != nil {
		return nil, err
	}
	if !rep.Status.Intact() {
		p, _ := errors.AsType[*problem.Problem](rep.Err())
		return nil, p.At(source)
	}
	return []trust.Entry{trust.OfCertificate(rep.Leaf, true)}, nil
}

func newTrustList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "list",
		Short:       "List whose signatures you trust",
		Example:     "  satchel trust list",
		Args:        wantArgs(0, 0),
		Annotations: exits("1 failed, 2 usage"),
		RunE: func(*cobra.Command, []string) error {
			entries, err := a.kept()
			if err != nil {
				return err
			}
			res := &trustResult{append([]trust.Entry{}, entries...)}
			return a.show(res, func() {
				if len(entries) == 0 {
					a.err.Println("nothing beside the authorities of this system; add with: satchel trust add FILE")
				}
				printEntries(a.out, entries)
			})
		},
	}
}

func newTrustRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "remove FINGERPRINT",
		Aliases:     []string{"rm"},
		Short:       "No longer trust what has a fingerprint; its first eight digits are enough",
		Example:     "  satchel trust remove 2f1c8d3a",
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 6 not found"),
		RunE: func(_ *cobra.Command, args []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			gone, err := trust.Open(home.Config).Remove(args[0])
			if err != nil {
				return err
			}
			return a.show(&trustResult{gone}, func() {
				a.out.Println(a.out.Green("removed"))
				printEntries(a.out, gone)
			})
		},
	}
}

// printEntries shows what is trusted, with what each means.
func printEntries(o *term.Out, entries []trust.Entry) {
	for _, e := range entries {
		what := "signer"
		detail := "(known by its fingerprint only)"
		switch {
		case e.List != nil:
			what = "revoked"
			detail = fmt.Sprintf("certificates of %s: %d, as of %s", e.List.Issuer, e.List.Revoked, e.List.ThisUpdate.Format(time.DateOnly))
		case e.Certificate != nil:
			detail = fmt.Sprintf("%s, issued by %s, %s, valid until %s", e.Certificate.Subject, e.Certificate.Issuer, e.Certificate.Key, e.Certificate.NotAfter.Format(time.DateOnly))
		}
		if e.Kind == trust.Root {
			what = "authority"
		}
		o.Printf("%-9s  %s  %s\n", what, e.Fingerprint, term.VisibleLine(detail))
	}
}
