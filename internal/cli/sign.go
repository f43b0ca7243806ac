package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"satchel/internal/atomicfile"
	"satchel/internal/paths"
	"satchel/internal/problem"
	"satchel/internal/signer"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

type signOptions struct {
	bundle      string
	out         string
	files       signer.Files
	selfSigned  bool
	passwordFD  int
	tsa         string
	replace     bool
	digestOut   string
	signatureIn string
	request     string
	passwords   *os.File // that --password-fd names
}

// A signResult is the JSON document of sign.
type signResult struct {
	File string `json:"file"`
	*mcpb.Signed
	Signer   *signature.Certificate `json:"signer"`
	TSA      string                 `json:"tsa,omitempty"`
	ToSign   string                 `json:"toSign,omitempty"`  // with --digest-out: the file with the digest
	Request  string                 `json:"request,omitempty"` // and what the second step needs
	Warnings []string               `json:"warnings"`
	key      string
}

func newSign(a *app) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:     "sign FILE",
		GroupID: "author",
		Short:   "Sign a bundle",
		Long: `Signs a bundle with an RSA or ECDSA key and a code-signing certificate, in PEM files or a PKCS#12 file. The signature is
written as the archive's comment, so that every ZIP reader still reads the bundle; satchel unsign takes it out again.

Without a certificate of an authority, --self-signed signs with a key of your own, made when there is none. It proves
that the same key signed two bundles, and nothing about who has the key.

A password is asked on the terminal, or read from a file descriptor: --password-fd 3 3<password-file.

When another machine or a hardware module has the key, sign in two steps: --digest-out FILE writes the SHA-256 that the
key has to sign, and prints the command for the second step, which takes the signature: --signature-in FILE.`,
		Example: `  satchel sign my.mcpb --cert cert.pem --key key.pem --chain intermediate.pem
  satchel sign my.mcpb --pkcs12 me.p12 --tsa http://timestamp.example.com
  satchel sign my.mcpb --self-signed
  satchel sign my.mcpb --cert cert.pem --digest-out my.digest`,
		Args:        wantArgs(1, 1),
		Annotations: exits("1 failed, 2 usage, 3 not a valid bundle, certificate or key, 4 signed already, 6 not found, 9 tampered or malformed signature"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.bundle = args[0]
			if err := noEmptyFlags(cmd, "cert", "key", "pkcs12", "tsa", "out", "digest-out", "signature-in", "request"); err != nil {
				return err
			}
			res, err := o.run(cmd.Context(), a)
			if err != nil {
				return err
			}
			return a.show(res, func() { o.print(a, res) })
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.files.Cert, "cert", "c", "", "the signer's certificate, PEM; certificates behind it go in too")
	f.StringVarP(&o.files.Key, "key", "k", "", "its private key, PEM")
	f.StringArrayVarP(&o.files.Chain, "chain", "i", nil, "certificates of the issuers, PEM (repeatable)")
	f.StringVar(&o.files.PKCS12, "pkcs12", "", "certificate, issuers and key in one file")
	f.BoolVar(&o.selfSigned, "self-signed", false, "sign with a key of your own that nobody vouches for")
	f.IntVar(&o.passwordFD, "password-fd", -1, "read the key's password from this file descriptor")
	f.StringVar(&o.tsa, "tsa", "", "a timestamping authority (RFC 3161), so that the signature outlives the certificate")
	f.StringVarP(&o.out, "out", "o", "", "write to this file, not over FILE")
	f.BoolVar(&o.replace, "replace", false, "replace the signatures that are there")
	f.StringVar(&o.digestOut, "digest-out", "", "step one of two: write what is to be signed elsewhere")
	f.StringVar(&o.signatureIn, "signature-in", "", "step two: the signature that was made")
	f.StringVar(&o.request, "request", "", "step two: the file that step one wrote beside the digest")
	return cmd
}

// noEmptyFlags refuses a flag whose value is empty, as that of a variable which is not set: the bundle would be written
// over, or signed without the timestamp that was meant.
func noEmptyFlags(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if value, err := cmd.Flags().GetString(name); err == nil && value == "" && cmd.Flags().Changed(name) {
			return problem.New(problem.Usage, "cli/flags", "--%s is given without a value", name).Try("%s --help", cmd.CommandPath())
		}
	}
	return nil
}

// check refuses flags that do not go together.
func (o signOptions) check() error {
	ways := 0
	for _, given := range []bool{o.files.Cert != "", o.files.PKCS12 != "", o.selfSigned, o.signatureIn != ""} {
		if given {
			ways++
		}
	}
	wrong := ""
	switch {
	case ways != 1:
		wrong = "say who signs, in one way: --cert and --key, --pkcs12, --self-signed, or --signature-in"
	case o.files.Cert != "" && o.files.Key == "" && o.digestOut == "":
		wrong = "--cert needs --key, or --digest-out when another machine has the key"
	case o.files.Cert == "" && (o.files.Key != "" || len(o.files.Chain) > 0 && o.files.PKCS12 == ""):
		wrong = "--key and --chain need --cert"
	case (o.signatureIn != "") != (o.request != ""):
		wrong = "--signature-in and --request go together: step one wrote the request beside the digest"
	case o.passwordFD < -1:
		wrong = "--password-fd takes the number of a file descriptor"
	case o.digestOut != "" && (o.signatureIn != "" || o.out != ""):
		wrong = "--digest-out is step one, in which no bundle is written"
	default:
		return nil
	}
	return problem.New(problem.Usage, "sign/flags", "%s", wrong).Try("satchel sign --help")
}

func (o signOptions) run(ctx context.Context, a *app) (*signResult, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if err := o.openPasswords(); err != nil {
		return nil, err
	}
	if err := o.checkOutputs(); err != nil {
		return nil, err
	}
	b, err := mcpb.Open(o.bundle, mcpb.Limits{})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if b.Signatures() > 0 && !o.replace {
		return nil, problem.New(problem.Refused, "sign/signed", "is signed already").At(o.bundle).Try("satchel verify %s; to sign it anew: --replace", problem.Words(o.bundle))
	}
	if err := b.Untampered(); err != nil {
		return nil, err
	}
	if o.out == "" {
		o.out = o.bundle
	}
	if o.signatureIn != "" {
		return o.complete(ctx, b)
	}
	who, warnings, err := o.identity(ctx, a)
	if err != nil {
		return nil, err
	}
	shown := signature.Describe(who.Path[0])
	res := &signResult{File: o.out, Signer: &shown, TSA: signature.ShownAddress(o.tsa), Warnings: append([]string{}, warnings...), key: o.files.Key}
	stamp, err := o.stamper()
	if err != nil {
		return nil, err
	}
	if o.digestOut != "" {
		return res, o.writeRequest(b, who, res)
	}
	res.Signed, err = b.Sign(ctx, o.out, who, time.Now(), stamp)
	return res, err
}

func (o signOptions) stamper() (signature.Stamper, error) {
	if o.tsa == "" {
		return nil, nil
	}
	return signature.AskTSA(o.tsa)
}

// identity reads who signs. A file may be a pipe, and a password much work: an interrupt ends both.
func (o signOptions) identity(ctx context.Context, a *app) (*signature.Identity, []string, error) {
	now := time.Now()
	if !o.selfSigned {
		return o.load(ctx, a, now)
	}
	home, err := a.home()
	if err != nil {
		return nil, nil, err
	}
	if err := home.Ensure(); err != nil {
		return nil, nil, err
	}
	who, err := signer.SelfSigned(home.Config, now)
	return who, []string{"self-signed: this proves that the same key signed, and nothing about whose it is"}, err
}

func (o signOptions) load(ctx context.Context, a *app, now time.Time) (*signature.Identity, []string, error) {
	type loaded struct {
		who      *signature.Identity
		warnings []string
	}
	var asking sync.Mutex // while the terminal does not show what is typed
	res, err := await(ctx, func() (loaded, error) {
		who, warnings, err := o.files.Load(func(file string) ([]byte, error) {
			asking.Lock()
			defer asking.Unlock()
			return o.password(ctx, a, file)
		}, now)
		return loaded{who, warnings}, err
	})
	asking.Lock() // never given back: after an interrupt nothing is asked any more
	return res.who, res.warnings, err
}

// openPasswords takes the file descriptor before any file is opened, which would get the number of one that there is not.
func (o *signOptions) openPasswords() error {
	if o.passwordFD < 0 {
		return nil
	}
	if o.passwords = os.NewFile(uintptr(o.passwordFD), "password"); o.passwords != nil {
		if _, err := o.passwords.Stat(); err == nil {
			return nil
		}
	}
	return problem.New(problem.Usage, "sign/password", "there is no file descriptor %d", o.passwordFD).
		Try("open it in the same command: satchel sign ... --password-fd %d %d<password-file", o.passwordFD, o.passwordFD)
}

// password asks for the password of a file, or reads it from the descriptor: its first line.
func (o signOptions) password(ctx context.Context, a *app, file string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if o.passwords != nil {
		return await(ctx, o.readPassword)
	}
	if a.json || !term.Interactive(a.in) {
		return nil, problem.New(problem.Usage, "sign/password", "is encrypted, and there is no terminal to ask for its password").At(file).
			Try("give --password-fd N, such as: satchel sign ... --password-fd 3 3<password-file")
	}
	password, err := a.err.ReadPassword(ctx, a.in, "Password of "+term.VisibleLine(file)+": ")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, problem.New(problem.Failed, "sign/password", "the password cannot be read").At(file).Because(err)
	}
	return password, nil
}

// readPassword waits for the line's end, not for that of the file: who writes it may stay.
func (o signOptions) readPassword() ([]byte, error) {
	line, err := bufio.NewReader(io.LimitReader(o.passwords, 4<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, problem.New(problem.Usage, "sign/password", "the password cannot be read from file descriptor %d", o.passwordFD).Because(err)
	}
	return []byte(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")), nil
}

// checkOutputs refuses to write over what is read, and over what is no file.
func (o signOptions) checkOutputs() error {
	read := append([]string{o.files.Cert, o.files.Key, o.files.PKCS12, o.signatureIn, o.request}, o.files.Chain...)
	written := []string{o.out}
	if o.digestOut != "" {
		written, read = []string{o.digestOut, o.digestOut + ".json"}, append(read, o.bundle)
	}
	for _, name := range written {
		if info, err := os.Lstat(name); o.digestOut != "" && err == nil && !info.Mode().IsRegular() {
			return problem.New(problem.Failed, "sign/output", "is not a regular file; the digest cannot replace it").At(name)
		}
		there, err := os.Stat(name)
		if err != nil {
			continue
		}
		for _, input := range read {
			if info, err := os.Stat(input); err == nil && os.SameFile(there, info) {
				return problem.New(problem.Usage, "sign/output", "is read by the same command, and would be written over").At(name).Try("write to another file")
			}
		}
	}
	return nil
}

// A signRequest is what is kept between the two steps.
type signRequest struct {
	Bundle string `json:"bundle"` // as it was named; the digests inside decide
	TSA    string `json:"tsa,omitempty"`
	signature.Request
}

func (o signOptions) writeRequest(b *mcpb.Bundle, who *signature.Identity, res *signResult) error {
	r, err := b.SigningRequest(who, time.Now(), o.tsa != "")
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(signRequest{o.bundle, o.tsa, *r}, "", "  ")
	if err != nil {
		return err
	}
	res.ToSign, res.Request = o.digestOut, o.digestOut+".json"
	mode := fs.FileMode(0o644)
	if signature.ShownAddress(o.tsa) != o.tsa { // a password may stand in it
		mode = 0o600
	}
	if err := writeStep(res.Request, append(data, '\n'), mode); err != nil {
		return err
	}
	return writeStep(res.ToSign, r.Digest(), 0o644)
}

func writeStep(name string, data []byte, mode fs.FileMode) error {
	if err := atomicfile.Write(name, data, mode); err != nil {
		return problem.New(problem.Failed, "sign/output", "cannot be written").At(name).Because(err)
	}
	return nil
}

func (o signOptions) complete(ctx context.Context, b *mcpb.Bundle) (*signResult, error) {
	var r signRequest
	data, err := readInput(ctx, o.request)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, problem.New(problem.Invalid, "sign/request", "is no request for a signature").At(o.request).Because(err)
	}
	sig, err := readInput(ctx, o.signatureIn)
	if err != nil {
		return nil, err
	}
	if o.tsa == "" {
		o.tsa = r.TSA
	}
	stamp, err := o.stamper()
	if err != nil {
		return nil, err
	}
	res := &signResult{File: o.out, TSA: signature.ShownAddress(o.tsa), Warnings: []string{}}
	if res.Signed, err = b.SignWith(ctx, o.out, &r.Request, sig, stamp); err != nil {
		return nil, err
	}
	if res.Signer, err = r.Signer(); err != nil {
		return nil, err
	}
	return res, nil
}

// readInput reads a file that may be a pipe.
func readInput(ctx context.Context, name string) ([]byte, error) {
	return await(ctx, func() ([]byte, error) { return signer.ReadFile(name) })
}

func (o signOptions) print(a *app, res *signResult) {
	for _, w := range res.Warnings {
		a.err.Printf("%s %s\n", a.err.Yellow("warning:"), term.VisibleLine(w))
	}
	if res.Request != "" {
		o.printNext(a, res)
		return
	}
	a.out.Printf("%s %s\n", a.out.Green("signed"), term.VisibleLine(res.File))
	a.out.Printf("  by           %s (%s)\n", term.VisibleLine(res.Signer.Subject), res.Signer.Key)
	a.out.Printf("  fingerprint  %s\n", res.Signer.Fingerprint)
	if res.TSA != "" {
		a.out.Printf("  timestamp    by %s\n", term.VisibleLine(res.TSA))
	}
	a.out.Printf("  digest       %s\n", res.Digest)
	a.out.Printf("  verify: satchel verify %s\n", word(res.File))
	if o.selfSigned {
		a.out.Printf("  others trust this key with: satchel trust add %s\n", res.Signer.Fingerprint)
	}
}

// printNext prints how to go on: an example of making the signature, and the command for step two.
func (o signOptions) printNext(a *app, res *signResult) {
	padding := ""
	if strings.HasPrefix(res.Signer.Key, "RSA") {
		padding = " -pkeyopt digest:sha256"
	}
	sig, key := word(res.ToSign+".sig"), "KEY"
	if res.key != "" {
		key = word(res.key)
	}
	a.out.Printf("wrote the SHA-256 to sign into %s, and what step two needs into %s\n", term.VisibleLine(res.ToSign), term.VisibleLine(res.Request))
	a.out.Printf("  sign it, such as: openssl pkeyutl -sign -inkey %s%s -in %s -out %s\n", key, padding, word(res.ToSign), sig)
	replace := ""
	if o.replace {
		replace = " --replace"
	}
	a.out.Printf("  then: satchel sign %s --signature-in %s --request %s%s\n", word(o.bundle), sig, word(res.Request), replace)
}

// word is a file's name as it is typed into a shell.
func word(name string) string { return term.VisibleLine(problem.Words(name)) }

// home gives the user's folders.
func (a *app) home() (paths.Home, error) { return paths.Find(runtime.GOOS, a.getenv) }
