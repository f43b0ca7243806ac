package mcpb

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"strings"
	"time"

	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

// Signature gives the DER of the outermost signature block, not verified; nil when the bundle is unsigned. The caller
// must not change it.
func (b *Bundle) Signature() []byte {
	if b.Signatures() == 0 {
		return nil
	}
	return b.layout.blocks[0].DER
}

// Signatures counts the signature blocks: signing a signed bundle again adds one.
func (b *Bundle) Signatures() int { return len(b.layout.blocks) }

// SignedSize is the number of bytes before the outermost signature block, which it covers; 0 when unsigned.
func (b *Bundle) SignedSize() int64 {
	if b.Signatures() == 0 {
		return 0
	}
	return b.layout.blocks[0].Start
}

// ContentSize is the size in bytes without any signature block.
func (b *Bundle) ContentSize() int64 { return b.layout.content(b.size) }

// lengthAt is where the end record holds the comment's length.
func (b *Bundle) lengthAt() int64 { return b.layout.endOffset + endSize - 2 }

// Verify looks at the outermost signature: whether it fits the bytes, who made it, and whether that counts for t. The
// error is that of reading the file.
func (b *Bundle) Verify(t signature.Trust, now time.Time) (*signature.Report, error) {
	l := signature.Layout{Size: b.size, LengthAt: b.lengthAt(), Length: b.layout.declared, Blocks: b.layout.blocks}
	rep, err := signature.Verify(b.r, l, t, now)
	if err != nil {
		return nil, b.locate(err)
	}
	return rep, nil
}

// Untampered is nil for a bundle that is not signed, or whose outermost signature fits the bytes, whoever made it. Who
// replaces a signature asks it first: he would vouch for what somebody else changed.
func (b *Bundle) Untampered() error {
	if b.Signatures() == 0 {
		return nil
	}
	rep, err := b.Verify(signature.Trust{}, time.Now())
	if err != nil || rep.Status.Intact() {
		return err
	}
	return problem.New(problem.Tampered, "sign/tampered", "was changed after it was signed, and is not signed again as it is: %s", strings.Join(rep.Reasons, "; ")).
		At(b.name).Try("when the change was yours: satchel unsign %s, then sign it", problem.Words(b.name))
}

// Digests computes the bundle digest, of the file as published, and the content digest, of the file without any
// signature block; both as "sha256:" and lower-case hex. They are equal for an unsigned bundle. Two ways of signing one
// build, behind the archive or as its comment, share the content digest.
func (b *Bundle) Digests() (bundle, content string, err error) {
	whole := sha256.New()
	if _, err := io.Copy(whole, io.NewSectionReader(b.r, 0, b.lengthAt())); err != nil {
		return "", "", b.locate(err)
	}
	inner := clone(whole) // everything but the comment and its length is the same
	b.writeComment(inner, 0)
	if _, err := io.Copy(whole, io.NewSectionReader(b.r, b.lengthAt(), b.size-b.lengthAt())); err != nil {
		return "", "", b.locate(err)
	}
	return digestText(whole.Sum(nil)), digestText(inner.Sum(nil)), nil
}

// writeComment writes the comment's length, with a block of more bytes counted in, and the comment.
func (b *Bundle) writeComment(w io.Writer, more int) {
	w.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(b.layout.comment)+more)))
	w.Write(b.layout.comment)
}

func clone(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic(err) // crypto/sha256 says that it never fails
	}
	return c
}
