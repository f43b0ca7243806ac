package inflate

const (
	maxLength   = 15 // bits of a code (3.2.7)
	primaryBits = 10 // codes up to this length are found by one look
	primarySize = 1 << primaryBits

	// A longer code stands in a subtable. In a complete code at least two share each, so there are at most maxSymbols/2.
	belowSize = maxSymbols / 2 << (maxLength - primaryBits)
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

// place gives the place in the subtables of the code at the start of b.
func (e entry) place(b uint64) uint64 {
	return uint64(e>>16) + b>>primaryBits&(1<<(e>>8&15)-1)
}

// A table finds the meaning of a Huffman code, which stands in the lowest bits of a word, its first bit lowest.
type table struct {
	primary [primarySize]entry // by the first bits
	below   [belowSize]entry   // the subtables
}

// look finds the entry of the code at the start of b; false when there is none.
func (t *table) look(b uint64) (entry, bool) {
	e := t.primary[b%primarySize]
	if e.isSubtable() {
		e = t.below[e.place(b)]
	}
	return e, !e.isSpecial() || e.isEnd()
}

// build makes the table of a canonical Huffman code from the lengths of its codes by symbol (3.2.2). meaning has the
// entry of each symbol without the length of its code. A code must be complete, or be one code of one bit, or none.
func (t *table) build(lengths []uint8, meaning []entry) error {
	var counts, place [maxLength + 1]int
	for _, n := range lengths {
		counts[n]++
	}
	longest, room := 0, 1 // room: codes of the longest length that are free
	for n := 1; n <= maxLength; n++ {
		if counts[n] > 0 {
			room <<= n - longest
			longest = n
		}
		if room -= counts[n]; room < 0 {
			return ErrCorrupt
		}
		if n < maxLength {
			place[n+1] = place[n] + counts[n]
		}
	}
	if room > 0 && longest > 1 {
		return ErrCorrupt
	}
	var sorted [maxSymbols]uint16 // symbols by the length of their codes
	for symbol, n := range lengths {
		if n > 0 {
			sorted[place[n]] = uint16(symbol)
			place[n]++
		}
	}
	t.primary[0], t.primary[1] = special, special // what no code fills is no code
	t.fill(sorted[:len(lengths)-counts[0]], lengths, meaning, longest)
	return nil
}

// fill goes through the codes from the shortest to the longest. The table for codes of n bits is doubled to that for
// n+1, so that every code stands in all places where only the bits behind it differ; the places that no code has yet
// are those of longer codes. Those longer than primaryBits follow each other by their first bits, which share a subtable.
func (t *table) fill(sorted []uint16, lengths []uint8, meaning []entry, longest int) {
	code, bits := 0, 1 // code has its first bit lowest
	prefix, place, free := -1, 0, 0
	for _, symbol := range sorted {
		n := int(lengths[symbol])
		bits = t.double(bits, min(n, primaryBits))
		e := meaning[symbol] + entry(n) + entry(n)<<8
		if n <= primaryBits {
			t.primary[code] = e
		} else {
			width := longest - primaryBits
			if first := code % primarySize; first != prefix {
				prefix, place = first, free
				free += 1 << width
				t.primary[first] = special | subtable | entry(place)<<16 | entry(width)<<8
			}
			for i := code >> primaryBits; i < 1<<width; i += 1 << (n - primaryBits) {
				t.below[place+i] = e
			}
		}
		code = following(code, n)
	}
	t.double(bits, primaryBits)
}

// double makes a table for codes of so many bits one for codes of more.
func (t *table) double(bits, more int) int {
	for ; bits < more; bits++ {
		copy(t.primary[1<<bits:2<<bits], t.primary[:1<<bits])
	}
	return bits
}

// following gives the next code of n bits, or, when there is none, anything.
func following(code, n int) int {
	bit := 1 << (n - 1)
	for ; code&bit != 0; bit >>= 1 {
		code ^= bit
	}
	return code | bit
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
