package dropin

import (
	"path/filepath"
	"strings"
	"time"

	"satchel/internal/term"
	"satchel/mcpb/signature"
)

func verifyCommand() command {
	return command{
		name: "verify", about: "Verify the signature of an MCPB extension file", args: []string{"<mcpb-file>"},
		run: (*session).verify,
	}
}

// verify tells what the reference means to tell: its own check ends in an error for every signed bundle, which it takes
// for one without a signature.
func (s *session) verify(c call) int {
	file := c.args[0]
	if !s.found(file) {
		return 1
	}
	s.say("Verifying %s...", base(file))
	r, err := s.Verify(file)
	if err != nil {
		return s.failAloud("Verification failed", err)
	}
	switch r.Status {
	case signature.Trusted:
		s.say("Signature is valid")
		s.sayCertificate(r, "Signed by", "Issuer", "")
	case signature.SelfSigned:
		s.say("Signature is valid (self-signed)")
		s.say("WARNING: This extension is self-signed")
		s.sayCertificate(r, "Signed by", "", "")
	case signature.Unsigned:
		s.complain("ERROR: Extension is not signed")
		return 1
	default:
		return s.failAloud("Verification failed", r.Err())
	}
	return 0
}

// sayCertificate prints the lines about who signed; an empty label leaves its line out.
func (s *session) sayCertificate(r *signature.Report, subject, issuer, note string) {
	c, indent := r.Signer, ""
	if strings.HasPrefix(subject, "  ") {
		indent = "  "
	}
	s.say("%s: %s", subject, commonName(c.SubjectCN))
	if issuer != "" {
		s.say("%s: %s%s", issuer, commonName(c.IssuerCN), note)
	}
	s.say("%sValid from: %s to %s", indent, day(c.NotBefore), day(c.NotAfter))
	s.say("%sFingerprint: %s", indent, strings.TrimPrefix(c.Fingerprint, "sha256:"))
}

func commonName(name string) string {
	if name == "" {
		return "Unknown"
	}
	return term.VisibleLine(name)
}

// day writes a date as node does where nobody has set another language.
func day(t time.Time) string { return t.Local().Format("1/2/2006") }

func base(file string) string { return term.VisibleLine(filepath.Base(file)) }
