package dropin

import (
	"context"
	"errors"

	"satchel/mcpb"
)

func unsignCommand() command {
	return command{
		name: "unsign", about: "Remove signature from a MCPB bundle file", args: []string{"<mcpb-file>"},
		run: (*session).unsign,
	}
}

// unsign takes away the outermost signature. A bundle without one stays as it is, and that is no failure.
func (s *session) unsign(c call) int {
	file := c.args[0]
	if !s.found(file) {
		return 1
	}
	s.say("Removing signature from %s...", base(file))
	if err := unsign(s.ctx, file); err != nil {
		return s.failAloud("Failed to remove signature", err)
	}
	s.say("Signature removed")
	return 0
}

func unsign(ctx context.Context, file string) error {
	b, err := mcpb.Open(file, mcpb.Limits{})
	if err != nil {
		return err
	}
	if b.Signatures() > 0 {
		err = b.Unsign(ctx, file, false)
	}
	return errors.Join(err, b.Close())
}
