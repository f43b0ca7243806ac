package signature

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The parts of a block, and its largest size in bytes: what fits a ZIP comment.
const (
	Magic    = "MCPB_SIG_V1"
	EndMagic = "MCPB_SIG_END"
	MaxBlock = 1<<16 - 1

	headSize  = len(Magic) + 4
	overhead  = headSize + len(EndMagic)
	maxNested = 8 // signing a signed bundle again adds a block; the reference lets one do that
)

// A Block is a signature block at the end of a bundle, not verified.
type Block struct {
	Start int64  // its offset in the file
	DER   []byte // of its CMS; nil but for the outermost block
}

// Find recognises the blocks at the very end of a file, the outermost first. The tail is the last part of the file, which
// begins at offset start. Marker strings anywhere else are content. The error says in a sentence without a subject why
// the outermost block does not fit.
func Find(tail []byte, start int64) ([]Block, error) {
	var blocks []Block
	for end := len(tail); len(blocks) < maxNested; {
		at, der, err := before(tail[:end])
		if err != nil && len(blocks) == 0 {
			return nil, err
		}
		if err != nil || der == nil {
			break // inside the outermost block, whatever else there is belongs to what was signed
		}
		b := Block{Start: start + int64(at)}
		if len(blocks) == 0 {
			b.DER = bytes.Clone(der) // the tail is large and not needed any more
		}
		blocks = append(blocks, b)
		end = at
	}
	return blocks, nil
}

// before gives the block that ends where data ends: its start and its DER, nil when data does not end with one. A file in
// which two starts fit is refused, since readers could disagree on what was signed.
func before(data []byte) (start int, der []byte, err error) {
	body, found := bytes.CutSuffix(data, []byte(EndMagic))
	if !found {
		return 0, nil, nil
	}
	fitting := 0
	for rest := body; ; {
		at := bytes.LastIndex(rest, []byte(Magic))
		if at < 0 {
			break
		}
		rest = rest[:at]
		if len(body)-at <= headSize {
			continue
		}
		if n := binary.LittleEndian.Uint32(body[at+len(Magic):]); int64(n) == int64(len(body)-at-headSize) {
			start, der = at, body[at+headSize:]
			fitting++
		}
	}
	switch {
	case fitting != 1:
		return 0, nil, fmt.Errorf("ends like a signed bundle, but %d signature blocks fit", fitting)
	case bytes.Contains(der, []byte(Magic)): // the reference takes the last one for the block's beginning
		return 0, nil, errors.New("has a signature block with the beginning of another one inside")
	case len(data)-start > MaxBlock:
		return 0, nil, fmt.Errorf("has a signature block of %d bytes; at most %d are allowed", len(data)-start, MaxBlock)
	}
	return start, der, nil
}

// Begins tells whether data holds what can only be the beginning of a block: its magic and a length that is possible. When
// no block ends the file, one was damaged. The magic in a comment's text is none.
func Begins(data []byte) bool {
	for {
		at := bytes.Index(data, []byte(Magic))
		if at < 0 || len(data)-at < headSize {
			return false
		}
		if n := binary.LittleEndian.Uint32(data[at+len(Magic):]); n > 0 && n <= MaxBlock {
			return true
		}
		data = data[at+1:]
	}
}

// wrap makes the block of a CMS.
func wrap(der []byte) []byte {
	b := append(make([]byte, 0, len(der)+overhead), Magic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(der)))
	return append(append(b, der...), EndMagic...)
}
