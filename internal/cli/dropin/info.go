package dropin

import (
	"os"

	"satchel/mcpb/signature"
)

func infoCommand() command {
	return command{
		name: "info", about: "Display information about an MCPB extension file", args: []string{"<mcpb-file>"},
		run: (*session).info,
	}
}

func (s *session) info(c call) int {
	file := c.args[0]
	if !s.found(file) {
		return 1
	}
	stat, err := os.Stat(file)
	if err != nil {
		return s.failAloud("Failed to read MCPB info", err)
	}
	s.say("File: %s", base(file))
	s.say("Size: %s KB", decimal(stat.Size(), 1<<10, 2))
	r, err := s.Verify(file)
	if err != nil {
		return s.failAloud("Failed to read MCPB info", err)
	}
	if r.Status == signature.Unsigned {
		s.say("\nWARNING: Not signed")
		return 0
	}
	if r.Signer == nil {
		return s.failAloud("Failed to read MCPB info", r.Err())
	}
	s.say("\nSignature Information:")
	switch r.Status {
	case signature.Trusted:
		s.sayCertificate(r, "  Subject", "  Issuer", "")
		s.say("  Status: Valid")
	case signature.SelfSigned:
		s.sayCertificate(r, "  Subject", "  Issuer", " (self-signed)")
		s.say("  Status: Valid (self-signed)")
	default: // the reference takes it for unsigned
		s.sayCertificate(r, "  Subject", "  Issuer", "")
		s.say("  Status: Not trusted (%s)", r.Status)
		s.complain("WARNING: %s", r.Err())
	}
	return 0
}
