package seccomp

import "fmt"

// An Instruction is one of classic BPF, laid out as the kernel's struct sock_filter.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// The instructions that a filter needs (linux/bpf_common.h).
const (
	opLoad    = 0x20 // ld  [k]: a word of the call's struct seccomp_data
	opAnd     = 0x54 // and k
	opJump    = 0x05 // ja  k
	opEqual   = 0x15 // jeq k
	opAtLeast = 0x35 // jge k
	opAnyBit  = 0x45 // jset k
	opReturn  = 0x06 // ret k
)

// Where things are in struct seccomp_data (linux/seccomp.h). Arguments are 64 bits; of those that are judged here the
// kernel looks at the low half only, which comes first on both architectures.
const (
	offNumber = 0
	offArch   = 4
	offArg0   = 16
)

func load(offset uint32) Instruction { return Instruction{Code: opLoad, K: offset} }
func loadArg(n uint32) Instruction   { return load(offArg0 + 8*n) }
func and(mask uint32) Instruction    { return Instruction{Code: opAnd, K: mask} }
func jump(op uint16, k uint32, t, f int) Instruction {
	return Instruction{Code: op, Jt: short(t), Jf: short(f), K: k}
}

// short is the length of a conditional jump. Longer ones are a mistake in this package, not in what it was given.
func short(n int) uint8 {
	if n < 0 || n > 255 {
		panic(fmt.Sprintf("seccomp: a conditional jump over %d instructions", n))
	}
	return uint8(n)
}

// A block is instructions that end in a return on every way through them.
type block []Instruction

func ret(v Verdict) block { return block{{Code: opReturn, K: uint32(v)}} }

// when runs yes if the condition holds for the loaded word, else no.
func when(op uint16, k uint32, yes, no block) block {
	b := block{jump(op, k, 0, 0)}
	if len(yes) <= 255 {
		b[0] = jump(op, k, 0, len(yes))
	} else {
		b = block{jump(op, k, 1, 0), {Code: opJump, K: uint32(len(yes))}}
	}
	return append(append(b, yes...), no...)
}

// oneOf runs yes if the loaded word is one of the values, else no.
func oneOf(values []uint32, yes, no block) block {
	if len(values) == 0 {
		return no
	}
	var b block
	for i, v := range values {
		last := i == len(values)-1
		if last {
			b = append(b, jump(opEqual, v, 0, len(yes)))
		} else {
			b = append(b, jump(opEqual, v, len(values)-1-i, 0))
		}
	}
	return append(append(b, yes...), no...)
}
