package mcpb

import (
	"bytes"
	"encoding/binary"

	"satchel/internal/problem"
)

// The signature block, as the reference writes it: magic, a little-endian length, DER, and a closing magic at the very
// end of the file. We write it as the comment of the end record; the reference appends it behind the archive.
const (
	signatureMagic = "MCPB_SIG_V1"
	signatureEnd   = "MCPB_SIG_END"
	signatureHead  = len(signatureMagic) + 4
	maxNested      = 8 // signing a signed bundle again adds a block; the reference lets one do that
)

// A signature is what was recognised at the end of a bundle; it is not verified here.
type signature struct {
	der    []byte  // of the outermost block; nil when there is none
	starts []int64 // where the blocks begin, the outermost first
}

// content gives the offset at which the innermost block begins, in a file of size bytes.
func (s signature) content(size int64) int64 {
	if n := len(s.starts); n > 0 {
		return s.starts[n-1]
	}
	return size
}

// findSignature recognises the blocks at the very end of the file. Marker strings anywhere else are content.
func findSignature(t tail, size int64) (signature, *problem.Problem) {
	var s signature
	for end := len(t.data); len(s.starts) < maxNested; {
		start, der, p := blockBefore(t.data[:end])
		if p != nil && s.der == nil {
			return s, p
		}
		if p != nil || der == nil {
			return s, nil // inside the outermost block, whatever else there is belongs to what was signed
		}
		if s.der == nil {
			s.der = bytes.Clone(der) // the tail is large and not needed any more
		}
		s.starts = append(s.starts, size-int64(len(t.data)-start))
		end = start
	}
	return s, nil
}

// blockBefore gives the block that ends where data ends: its start and its DER, nil when data does not end with one.
// A file in which two starts fit is refused, since readers could disagree on what was signed.
func blockBefore(data []byte) (start int, der []byte, p *problem.Problem) {
	body, found := bytes.CutSuffix(data, []byte(signatureEnd))
	if !found {
		return 0, nil, nil
	}
	fitting := 0
	for rest := body; ; {
		at := bytes.LastIndex(rest, []byte(signatureMagic))
		if at < 0 {
			break
		}
		rest = rest[:at]
		if len(body)-at < signatureHead {
			continue
		}
		n := int64(binary.LittleEndian.Uint32(body[at+len(signatureMagic):]))
		if n == int64(len(body)-at-signatureHead) && n > 0 && n <= maxSignature {
			start, der = at, body[at+signatureHead:]
			fitting++
		}
	}
	if fitting != 1 {
		p := refuse("bundle/malformed-signature", "", "ends like a signed bundle, but %d signature blocks fit", fitting)
		return 0, nil, p.Coded(problem.Tampered)
	}
	return start, der, nil
}
