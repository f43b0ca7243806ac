package inflate

import "math/bits"

const (
	maxLength   = 15 // bits of a code (3.2.7)
	primaryBits = 10 // codes up to this length are found by one look

	// A longer code stands in a subtable. In a complete code at least two share each, so there are at most maxSymbols/2.
	tableSize = 1<<primaryBits + maxSymbols/2<<(maxLength-primaryBits)
)

// An entry says what a code means. From the lowest bit: eight bits for the length of the code and of its extra bits
// together; four for the length of the code alone, or of a subtable's index; four flags; sixteen for the literal, the
// base value, or the place of the subtable.
type entry uint32

const (
	special  entry = 1 << 12 // no value: a subtable, the end of the block, or no code at all
	subtable entry = 1 << 13
	endBlock entry = 1 << 14
	literal  entry = 1 << 15
)

func (e entry) isLiteral() bool  { return e&literal != 0 }
func (e entry) isSpecial() bool  { return e&special != 0 }
func (e entry) isSubtable() bool { return e&subtable != 0 }
func (e entry) isEnd() bool      { return e&endBlock != 0 }
func (e entry) literal() byte    { return byte(e >> 16) }
func (e entry) length() uint     { return uint(e & 0xff) }

// value gives the base value with the extra bits, which follow the code at the start of b.
func (e entry) value(b uint64) int {
	return int(e>>16) + int(b&(1<<(e&63)-1)>>(e>>8&15))
}

// below gives the place in a subtable of the code at the start of b.
func (e entry) below(b uint64) uint64 {
	return uint64(e>>16) + b>>primaryBits&(1<<(e>>8&15)-1)
}

// A table finds the meaning of a Huffman code, which stands in the lowest bits of a word, its first bit lowest.
type table struct {
	mask    uint64
	entries [tableSize]entry
}

// look finds the entry of the code at the start of b; false when there is none.
func (t *table) look(b uint64) (entry, bool) {
	e := t.entries[b&t.mask]
	if e.isSubtable() {
		e = t.entries[e.below(b)]
	}
	return e, !e.isSpecial() || e.isEnd()
}

// build makes the table of a canonical Huffman code from the lengths of its codes by symbol (3.2.2). meaning has the
// entry of each symbol without the length of its code. A code must be complete, or be one code of one bit, or none.
func (t *table) build(lengths []uint8, meaning []entry) error {
	var counts, next [maxLength + 1]int
	longest := 0
	for _, n := range lengths {
		counts[n]++
		longest = max(longest, int(n))
	}
	counts[0] = 0
	for n := 1; n <= longest; n++ { // next holds the first code of each length
		next[n] = (next[n-1] + counts[n-1]) << 1
		if next[n]+counts[n] > 1<<n {
			return ErrCorrupt
		}
	}
	complete := longest > 0 && next[longest]+counts[longest] == 1<<longest
	if !complete && longest > 1 {
		return ErrCorrupt
	}
	width := min(max(longest, 1), primaryBits)
	t.mask = 1<<width - 1
	clear(t.entries[:1<<width])
	if !complete {
		t.entries[0], t.entries[1] = special, special
	}
	t.fill(lengths, meaning, next[:], width, longest)
	return nil
}

// fill puts every code in all the places where the bits behind it are other ones.
func (t *table) fill(lengths []uint8, meaning []entry, next []int, width, longest int) {
	free := 1 << width // the place of the next subtable
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		code := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e := meaning[symbol] + entry(n) + entry(n)<<8
		if int(n) <= width {
			for ; code < 1<<width; code += 1 << n {
				t.entries[code] = e
			}
			continue
		}
		up := &t.entries[code&(1<<width-1)]
		if *up == 0 {
			*up = special | subtable | entry(free)<<16 | entry(longest-width)<<8
			free += 1 << (longest - width)
		}
		place, end := int(*up>>16), int(*up>>16)+1<<(longest-width)
		for place += code >> width; place < end; place += 1 << (int(n) - width) {
			t.entries[place] = e
		}
	}
}

// symbolOf gives the meaning of a symbol for literals, lengths and the end of a block (3.2.5).
func symbolOf(s int) entry {
	switch {
	case s < 256:
		return literal | entry(s)<<16
	case s == 256:
		return special | endBlock
	case s < 265:
		return entry(s-257+3) << 16
	case s < 285:
		extra := (s - 261) / 4
		return entry((4+(s-257)%4)<<extra+3)<<16 | entry(extra)
	case s == 285:
		return 258 << 16
	}
	return special
}

// offsetOf gives the meaning of a symbol for offsets.
func offsetOf(s int) entry {
	switch {
	case s < 4:
		return entry(s+1) << 16
	case s < 30:
		extra := (s - 2) / 2
		return entry((2+s%2)<<extra+1)<<16 | entry(extra)
	}
	return special
}
