package dropin

import (
	"errors"
	"os"
	"time"

	"satchel/internal/signer"
	"satchel/internal/term"
	"satchel/mcpb"
	"satchel/mcpb/signature"
)

func certOption() option {
	return option{short: "-c", long: "--cert", value: "<path>", initial: "cert.pem", about: "Path to certificate file (PEM format)"}
}

func keyOption() option {
	return option{short: "-k", long: "--key", value: "<path>", initial: "key.pem", about: "Path to private key file (PEM format)"}
}

func chainOption() option {
	return option{short: "-i", long: "--intermediate", value: "<paths...>", about: "Paths to intermediate certificate files"}
}

func selfSignedOption() option {
	return option{long: "--self-signed", about: "Create a self-signed certificate if none exists"}
}

func signCommand() command {
	return command{
		name: "sign", about: "Sign an MCPB extension file", args: []string{"<mcpb-file>"},
		options: []option{certOption(), keyOption(), chainOption(), selfSignedOption()},
		run:     (*session).sign,
	}
}

// sign signs a bundle in its place; a signature that it has is replaced.
func (s *session) sign(c call) int {
	file, own := c.args[0], c.has(selfSignedOption())
	if !s.found(file) || !own && !s.haveKey(c) {
		return 1
	}
	if err := s.signBy(file, c, own); err != nil {
		return s.failAloud("Signing failed", err)
	}
	s.say("Successfully signed %s", base(file))
	r, err := s.Verify(file)
	if err == nil && r.Signer == nil {
		err = r.Err()
	}
	if err != nil {
		return s.failAloud("Signing failed", err)
	}
	s.say("Signed by: %s", commonName(r.Signer.SubjectCN))
	s.say("Issuer: %s", commonName(r.Signer.IssuerCN))
	if r.Status == signature.SelfSigned {
		s.say("Warning: Certificate is self-signed")
	}
	return 0
}

func (s *session) signBy(file string, c call, own bool) (err error) {
	var who *signature.Identity
	if own {
		if who, err = s.ownIdentity(); err != nil {
			return err
		}
	}
	s.say("Signing %s...", base(file))
	if !own {
		if who, err = s.identity(c); err != nil {
			return err
		}
	}
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		return err
	}
	if err = b.Untampered(); err == nil {
		_, err = b.Sign(s.ctx, file, who, time.Now(), nil)
	}
	return errors.Join(err, b.Close())
}

// haveKey tells whether the files are there, and says which is not.
func (s *session) haveKey(c call) bool {
	if cert := c.value(certOption()); !exists(cert) {
		s.complain("ERROR: Certificate file not found: %s", term.VisibleLine(cert))
		s.say("Tip: Use --self-signed to create a self-signed certificate")
		return false
	}
	if key := c.value(keyOption()); !exists(key) {
		s.complain("ERROR: Private key file not found: %s", term.VisibleLine(key))
		return false
	}
	return true
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// identity reads the key and the certificates that are named.
func (s *session) identity(c call) (*signature.Identity, error) {
	files := signer.Files{Cert: c.value(certOption()), Key: c.value(keyOption()), Chain: c.values[chainOption().long]}
	who, warnings, err := s.Identity(s.ctx, files)
	for _, w := range warnings {
		s.complain("warning: %s", term.VisibleLine(w))
	}
	return who, err
}

// ownIdentity is the person's own self-signed one; the reference has one for all who share its installation.
func (s *session) ownIdentity() (*signature.Identity, error) {
	config, err := s.Config()
	if err != nil {
		return nil, err
	}
	if exists(signer.SelfSignedFile(config)) {
		s.say("Using existing self-signed certificate")
		return signer.SelfSigned(config, time.Now())
	}
	s.say("Creating self-signed certificate...")
	who, err := signer.SelfSigned(config, time.Now())
	if err == nil {
		s.say("Self-signed certificate created")
	}
	return who, err
}
