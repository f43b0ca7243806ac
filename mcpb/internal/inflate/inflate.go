// Package inflate unpacks deflate streams (RFC 1951). Use its [Reader] for everything that is read from bundles.
//
// It is ours because unpacking is what hosts do with every bundle. The streaming decoders of the standard library and
// klauspost/compress go byte by byte; this one takes eight at a time wherever there is room, which is two to three times
// as fast. It accepts what compress/flate accepts, and nothing else: a fuzz test holds the two together.
package inflate

import (
	"encoding/binary"
	"errors"
)

// What is wrong with a stream.
var (
	ErrCorrupt  = errors.New("corrupt deflate data")
	ErrShort    = errors.New("deflate data ends before its end")
	ErrTrailing = errors.New("bytes behind the end of the deflate data")
)

const (
	maxSymbols = 288
	maxOffsets = 32
	maxMatch   = 258
	maxOffset  = 32 << 10

	// Near the ends of the buffers the decoder checks each step: a round of the fast loop reads at most two words and
	// writes at most two literals and a match, which may write some words beyond its end.
	fastIn     = 16
	fastOut    = 2 + maxMatch + wordsAhead
	wordsAhead = 24
)

// A decoder unpacks what stands in src into dst, as long as there is room.
type decoder struct {
	symbols table // literals and lengths
	offsets table
	fixed   bool                           // the tables are those of the fixed codes
	lengths [maxSymbols + maxOffsets]uint8 // of the codes of the block under way

	symbolMeaning [maxSymbols]entry // made once
	offsetMeaning [maxOffsets]entry

	src, dst []byte
	more     func() bool // puts more bytes into src when it is used up; false: there are none
	in, out  int         // how far each has come
	bits     uint64      // the next bits of src; those at 1<<count and above are not counted, but right
	count    uint        // how many bits are counted

	coded bool // in a block of codes
	raw   int  // bytes that are left of a block that is not compressed
	final bool // the block under way is the last one
}

func newDecoder() *decoder {
	d := &decoder{}
	for s := range d.symbolMeaning {
		d.symbolMeaning[s] = symbolOf(s)
	}
	for s := range d.offsetMeaning {
		d.offsetMeaning[s] = offsetOf(s)
	}
	return d
}

func (d *decoder) reset(dst, src []byte, more func() bool) {
	d.dst, d.src, d.more, d.in, d.out, d.bits, d.count = dst, src, more, 0, 0, 0, 0
	d.coded, d.raw, d.final = false, 0, false
}

// unread tells whether bytes are left of src.
func (d *decoder) unread() bool { return d.in < len(d.src) || d.count >= 8 }

// full tells whether dst may have no room for another step.
func (d *decoder) full() bool { return d.out > len(d.dst)-fastOut }

// run unpacks until dst is full or the stream has ended.
func (d *decoder) run() (ended bool, err error) {
	for !d.full() {
		switch {
		case d.coded:
			err = d.codes()
		case d.raw > 0:
			err = d.copyRaw()
		case d.final:
			return true, nil
		default:
			err = d.startBlock()
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// startBlock reads the head of a block (3.2.3).
func (d *decoder) startBlock() error {
	head, err := d.take(3)
	if err != nil {
		return err
	}
	d.final = head&1 == 1
	switch head >> 1 {
	case 0:
		return d.startRaw()
	case 1:
		d.fixedTables()
	case 2:
		if err := d.dynamicTables(); err != nil {
			return err
		}
	default:
		return ErrCorrupt
	}
	d.coded = true
	return nil
}

// refill reads bytes while there is room for them, at once where src has enough.
func (d *decoder) refill() {
	if d.in <= len(d.src)-8 {
		d.bits |= binary.LittleEndian.Uint64(d.src[d.in:]) << (d.count & 63)
		d.in += int((63 - d.count) >> 3)
		d.count |= 56
		return
	}
	for d.count < 56 && (d.in < len(d.src) || d.more()) {
		d.bits |= uint64(d.src[d.in]) << d.count
		d.in++
		d.count += 8
	}
}

// take gives the next n bits, at most 32.
func (d *decoder) take(n uint) (uint32, error) {
	d.refill()
	if d.count < n {
		return 0, ErrShort
	}
	v := uint32(d.bits & (1<<n - 1))
	d.drop(n)
	return v, nil
}

func (d *decoder) drop(n uint) {
	d.bits >>= n
	d.count -= n
}

// startRaw reads the head of a block that is not compressed (3.2.4).
func (d *decoder) startRaw() error {
	d.drop(d.count % 8)
	size, err := d.take(32)
	if err != nil {
		return err
	}
	if size&0xffff != ^size>>16 {
		return ErrCorrupt
	}
	d.raw = int(size & 0xffff)
	return nil
}

// copyRaw copies such a block, first what was read ahead.
func (d *decoder) copyRaw() error {
	for ; d.raw > 0 && d.count > 0 && d.out < len(d.dst); d.raw-- {
		d.dst[d.out] = byte(d.bits)
		d.out++
		d.drop(8)
	}
	if d.raw > 0 && d.count == 0 {
		d.bits = 0 // the uncounted ones are read again
		if d.in == len(d.src) && !d.more() {
			return ErrShort
		}
		n := copy(d.dst[d.out:], d.src[d.in:min(len(d.src), d.in+d.raw)])
		d.in, d.out, d.raw = d.in+n, d.out+n, d.raw-n
	}
	return nil
}

// codes unpacks a compressed block: quickly as long as both ends are far, then step by step.
func (d *decoder) codes() error {
	for !d.full() {
		end, err := d.fast()
		if err == nil && !end && !d.full() {
			end, err = d.step()
		}
		if end {
			d.coded = false
		}
		if end || err != nil {
			return err
		}
	}
	return nil
}

// step unpacks one literal or one match, for which dst has room, and reads on when src is used up. It tells whether the block has ended.
func (d *decoder) step() (end bool, err error) {
	d.refill()
	e, ok := d.symbols.look(d.bits)
	switch {
	case !ok:
		return false, d.noCode()
	case e.length() > d.count:
		return false, ErrShort
	case e.isLiteral():
		d.drop(e.length())
		d.dst[d.out] = e.literal()
		d.out++
		return false, nil
	case e.isEnd():
		d.drop(e.length())
		return true, nil
	}
	size := e.value(d.bits)
	d.drop(e.length())
	d.refill()
	if e, ok = d.offsets.look(d.bits); !ok {
		return false, d.noCode()
	}
	if e.length() > d.count {
		return false, ErrShort
	}
	offset := e.value(d.bits)
	d.drop(e.length())
	if offset > d.out {
		return false, ErrCorrupt
	}
	for range size {
		d.dst[d.out] = d.dst[d.out-offset]
		d.out++
	}
	return false, nil
}

// noCode tells what it means that the bits are no code: there may be too few of them.
func (d *decoder) noCode() error {
	if d.count < maxLength {
		return ErrShort
	}
	return ErrCorrupt
}

// fast unpacks as long as fastIn and fastOut bytes are left, so that it need not check each step. It keeps what changes
// in registers.
func (d *decoder) fast() (end bool, err error) {
	src, dst, in, out, bits, count := d.src, d.dst, d.in, d.out, d.bits, d.count
	symbols, offsets, le := &d.symbols, &d.offsets, binary.LittleEndian
	for in <= len(src)-fastIn && out <= len(dst)-fastOut {
		bits |= le.Uint64(src[in:]) << (count & 63)
		in += int((63 - count) >> 3)
		count |= 56
		e := symbols.primary[bits%primarySize]
		for range 2 { // three codes, two of them without a subtable, take at most 40 of the 56 bits
			if !e.isLiteral() {
				break
			}
			bits >>= e.length() & 63
			count -= e.length()
			dst[out] = e.literal()
			out++
			e = symbols.primary[bits%primarySize]
		}
		if e.isSubtable() {
			e = symbols.below[e.place(bits)]
		}
		if e.isLiteral() {
			bits >>= e.length() & 63
			count -= e.length()
			dst[out] = e.literal()
			out++
			continue
		}
		if e.isSpecial() {
			if !e.isEnd() {
				return false, ErrCorrupt
			}
			end = true
			bits >>= e.length() & 63
			count -= e.length()
			break
		}
		size := e.value(bits)
		bits >>= e.length() & 63
		count -= e.length()
		bits |= le.Uint64(src[in:]) << (count & 63)
		in += int((63 - count) >> 3)
		count |= 56
		if e = offsets.primary[bits%primarySize]; e.isSubtable() {
			e = offsets.below[e.place(bits)]
		}
		if e.isSpecial() {
			return false, ErrCorrupt
		}
		offset := e.value(bits)
		bits >>= e.length() & 63
		count -= e.length()
		if offset > out {
			return false, ErrCorrupt
		}
		repeat(dst, out, offset, size)
		out += size
	}
	d.in, d.out, d.bits, d.count = in, out, bits, count
	return end, nil
}

// repeat copies size bytes from offset before out to out, which may overlap. It may write up to wordsAhead bytes more:
// most matches are short, and how short cannot be foretold, so that the first words are copied without asking.
func repeat(dst []byte, out, offset, size int) {
	from, le := out-offset, binary.LittleEndian
	if offset < 8 {
		to, with := dst[out:out+size], dst[from:from+size]
		for i := range to {
			to[i] = with[i]
		}
		return
	}
	to, with := (*[wordsAhead]byte)(dst[out:]), (*[wordsAhead]byte)(dst[from:])
	le.PutUint64(to[0:], le.Uint64(with[0:]))
	le.PutUint64(to[8:], le.Uint64(with[8:]))
	le.PutUint64(to[16:], le.Uint64(with[16:]))
	for n := wordsAhead; n < size; n += 8 {
		le.PutUint64(dst[out+n:], le.Uint64(dst[from+n:]))
	}
}
