package inflate

// fixedTables makes the tables of a block whose codes the specification says (3.2.6).
func (d *decoder) fixedTables() {
	if d.fixed {
		return
	}
	for i := range d.lengths {
		switch {
		case i >= maxSymbols:
			d.lengths[i] = 5
		case i >= 280 || i < 144:
			d.lengths[i] = 8
		case i >= 256:
			d.lengths[i] = 7
		default:
			d.lengths[i] = 9
		}
	}
	// These codes are complete, so there is no error.
	_ = d.symbols.build(d.lengths[:maxSymbols], d.symbolMeaning[:])
	_ = d.offsets.build(d.lengths[maxSymbols:], d.offsetMeaning[:])
	d.fixed = true
}

// dynamicTables reads the codes of a block, and makes their tables (3.2.7).
func (d *decoder) dynamicTables() error {
	d.fixed = false
	head, err := d.take(14)
	if err != nil {
		return err
	}
	symbols, offsets, lengths := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if symbols > 286 || offsets > 30 {
		return ErrCorrupt
	}
	if err := d.lengthTable(lengths); err != nil {
		return err
	}
	all := d.lengths[:symbols+offsets]
	if err := d.readLengths(all); err != nil {
		return err
	}
	if err := d.symbols.build(all[:symbols], d.symbolMeaning[:]); err != nil {
		return err
	}
	return d.offsets.build(all[symbols:], d.offsetMeaning[:])
}

// lengthTable reads the code in which the lengths of the other codes are written. Its table is that of the symbols,
// which is not needed before.
func (d *decoder) lengthTable(n int) error {
	order := [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [len(order)]uint8
	for _, symbol := range order[:n] {
		v, err := d.take(3)
		if err != nil {
			return err
		}
		lengths[symbol] = uint8(v)
	}
	var meaning [len(order)]entry
	for symbol := range meaning {
		meaning[symbol] = entry(symbol) << 16
	}
	return d.symbols.build(lengths[:], meaning[:])
}

// readLengths reads the lengths of codes, of which the symbols 16 to 18 repeat one.
func (d *decoder) readLengths(all []uint8) error {
	for i := 0; i < len(all); {
		d.refill()
		e, ok := d.symbols.look(d.bits)
		if !ok {
			return d.noCode()
		}
		if e.length() > d.count {
			return ErrShort
		}
		symbol := uint8(e >> 16)
		d.drop(e.length())
		if symbol < 16 {
			all[i] = symbol
			i++
			continue
		}
		n, length, err := d.repetition(symbol, all[:i])
		if err != nil {
			return err
		}
		if n > len(all)-i {
			return ErrCorrupt
		}
		for end := i + n; i < end; i++ {
			all[i] = length
		}
	}
	return nil
}

// repetition gives how often which length is repeated.
func (d *decoder) repetition(symbol uint8, before []uint8) (n int, length uint8, err error) {
	bits, least := uint(2), 3
	switch symbol {
	case 17:
		bits = 3
	case 18:
		bits, least = 7, 11
	default:
		if len(before) == 0 {
			return 0, 0, ErrCorrupt
		}
		length = before[len(before)-1]
	}
	more, err := d.take(bits)
	return least + int(more), length, err
}
