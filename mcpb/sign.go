package mcpb

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"satchel/internal/atomicfile"
	"satchel/internal/hashio"
	"satchel/internal/problem"
	"satchel/mcpb/signature"
)

// A Signed is what signing wrote.
type Signed struct {
	Digest        string `json:"digest"` // as Digests gives them
	ContentDigest string `json:"contentDigest"`
	Block         int    `json:"block"` // size of the signature block in bytes
}

// Sign writes the bundle signed by who to the file out, which may be the bundle's own (the
// bundle can only be closed then); signatures that it has are left out. It is there whole or not at all, with the permissions of the file that was there, or else of the bundle. Errors are
// *[Problem]s.
func (b *Bundle) Sign(ctx context.Context, out string, who *signature.Identity, at time.Time, stamp signature.Stamper) (*Signed, error) {
	return b.rewrite(ctx, out, func(content signature.Content) ([]byte, error) {
		return signature.Sign(ctx, content, who, at, stamp)
	})
}

// SigningRequest is the first step of signing with a key that another machine has: the request's Digest is to be signed
// there. Stamped keeps room for a timestamp.
func (b *Bundle) SigningRequest(who *signature.Identity, at time.Time, stamped bool) (*signature.Request, error) {
	h := sha256.New()
	if err := hashio.Hash(h, io.NewSectionReader(b.r, 0, b.lengthAt())); err != nil {
		return nil, b.locate(err)
	}
	return signature.Prepare(b.content(h), who, at, stamped)
}

// SignWith is the second step: it writes the bundle signed, as Sign does, with the signature that was made of a request.
// It refuses when the bundle is not the one that the request was made for.
func (b *Bundle) SignWith(ctx context.Context, out string, r *signature.Request, sig []byte, stamp signature.Stamper) (*Signed, error) {
	return b.rewrite(ctx, out, func(content signature.Content) ([]byte, error) {
		return signature.Complete(ctx, content, r, sig, stamp)
	})
}

// Unsign writes the bundle without its outermost signature block, or without any, to the file out, which may be the
// bundle's own. The bytes are those that were there before it was signed. It refuses an unsigned bundle.
func (b *Bundle) Unsign(ctx context.Context, out string, all bool) error {
	if b.Signatures() == 0 {
		return problem.New(problem.Unsigned, "signature/none", "is not signed; nothing was changed").At(b.name)
	}
	end, length := b.layout.blocks[0].Start, b.layout.declared
	if b.layout.endOffset+endSize+int64(length) == b.size {
		length -= int(b.size - end) // the block was counted in
	}
	if all {
		end, length = b.ContentSize(), len(b.layout.comment)
	}
	return b.replace(out, func(f *atomicfile.File) error {
		if _, err := io.Copy(io.MultiWriter(f, untilDone{ctx}), io.NewSectionReader(b.r, 0, end)); err != nil {
			return err
		}
		_, err := f.WriteAt(binary.LittleEndian.AppendUint16(nil, uint16(length)), b.lengthAt())
		return err
	})
}

// rewrite writes the bundle with the block that sign makes for it. What is hashed is the copy, not the bundle: whoever
// changes the bundle meanwhile cannot make the signature one of something else.
func (b *Bundle) rewrite(ctx context.Context, out string, sign func(signature.Content) ([]byte, error)) (*Signed, error) {
	var res *Signed
	err := b.replace(out, func(f *atomicfile.File) error {
		h := sha256.New()
		if err := hashio.Copy(h, f.File, b.r, b.lengthAt()); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		block, err := sign(b.content(h))
		if err != nil {
			return err
		}
		var end bytes.Buffer
		b.writeComment(&end, len(block))
		end.Write(block)
		if _, err := f.WriteAt(end.Bytes(), b.lengthAt()); err != nil {
			return err
		}
		if err := f.Truncate(b.lengthAt() + int64(end.Len())); err != nil {
			return err
		}
		inner := clone(h)
		b.writeComment(inner, 0)
		h.Write(end.Bytes())
		res = &Signed{digestText(h.Sum(nil)), digestText(inner.Sum(nil)), len(block)}
		if _, err := fromFile(f.File, b.name, b.limits); err != nil { // nothing is written that would be refused
			return problem.New(problem.Failed, "sign/check", "cannot be signed so: readers would no longer agree on what is in it").At(b.name).Because(err)
		}
		return nil
	})
	return res, err
}

// content is what is to be signed, when h has hashed all that stands before the comment's length.
func (b *Bundle) content(h hash.Hash) signature.Content {
	room := min(signature.MaxBlock, maxComment-len(b.layout.comment))
	return signature.Content{Room: room, Digest: func(block int) []byte {
		c := clone(h)
		b.writeComment(c, block)
		return c.Sum(nil)
	}}
}

// replace makes a file in a private copy and puts it in its place when that went well.
func (b *Bundle) replace(out string, write func(*atomicfile.File) error) error {
	if real, err := filepath.EvalSymlinks(out); err == nil {
		out = real // a link stays one
	}
	if info, err := os.Lstat(out); err == nil && !info.Mode().IsRegular() { // a device, a pipe, a link to one or to nothing
		return problem.New(problem.Failed, "sign/output", "is not a regular file; a bundle cannot replace it").At(out)
	}
	mode := fs.FileMode(0o644)
	for _, name := range []string{out, b.name} {
		if info, err := os.Stat(name); err == nil {
			mode = info.Mode().Perm()
			break
		}
	}
	f, err := atomicfile.Create(out, mode)
	if err != nil {
		return problem.New(problem.Failed, "sign/output", "cannot be written").At(out).Because(err)
	}
	defer f.Abort()
	if err = write(f); err == nil {
		b.release(out)
		err = f.Commit()
	}
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*problem.Problem](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return problem.New(problem.Failed, "sign/output", "cannot be written").At(out).Because(err)
}

// release closes the bundle's file when it is the one that is about to be replaced, which Windows demands.
func (b *Bundle) release(out string) {
	f, ok := b.closer.(*os.File)
	if !ok {
		return
	}
	own, err := f.Stat()
	there, err2 := os.Stat(out)
	if err == nil && err2 == nil && os.SameFile(own, there) {
		_ = f.Close() // it was only read
		b.closer = nil
	}
}
