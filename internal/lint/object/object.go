// Package object tells for which system and processors a native program or library is: ELF, Mach-O and PE. It reads the
// first bytes only, so it is fit for files of any size and origin; package debug/elf and its like read whole tables.
package object

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// HeadSize is how many bytes of a file [Read] needs.
const HeadSize = 4096

// A Header is what a native file says about itself. OS is as manifests write it: linux, darwin, win32; other systems by
// their own name. Arch is as Node.js writes it: x64, arm64, ia32, arm; unknown processors are left out.
type Header struct {
	Format string // ELF, Mach-O or PE
	OS     string
	Arch   []string
}

// Read looks at the first bytes of a file; false when it is no native program or library.
func Read(head []byte) (Header, bool) {
	for _, read := range []func([]byte) (Header, bool){readELF, readPE, readMachO, readFat} {
		if h, ok := read(head); ok {
			return h, true
		}
	}
	return Header{}, false
}

func readELF(b []byte) (Header, bool) {
	if len(b) < 20 || string(b[:4]) != "\x7fELF" {
		return Header{}, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[5] == 2 {
		order = binary.BigEndian
	}
	h := Header{Format: "ELF", OS: "linux"}
	switch b[7] { // EI_OSABI: Linux programs say 0 or 3
	case 2:
		h.OS = "netbsd"
	case 6:
		h.OS = "sunos"
	case 9:
		h.OS = "freebsd"
	case 12:
		h.OS = "openbsd"
	}
	h.Arch = names(map[uint32]string{3: "ia32", 40: "arm", 62: "x64", 183: "arm64", 243: "riscv64", 22: "s390x", 21: "ppc64"}, uint32(order.Uint16(b[18:])))
	return h, true
}

func readPE(b []byte) (Header, bool) {
	if len(b) < 64 || string(b[:2]) != "MZ" {
		return Header{}, false
	}
	at := binary.LittleEndian.Uint32(b[60:])
	if at > uint32(len(b)-6) || !bytes.Equal(b[at:at+4], []byte("PE\x00\x00")) {
		return Header{}, false
	}
	machine := uint32(binary.LittleEndian.Uint16(b[at+4:]))
	return Header{Format: "PE", OS: "win32", Arch: names(map[uint32]string{0x14c: "ia32", 0x8664: "x64", 0xaa64: "arm64", 0x1c4: "arm"}, machine)}, true
}

func readMachO(b []byte) (Header, bool) {
	if len(b) < 8 {
		return Header{}, false
	}
	var order binary.ByteOrder
	switch binary.LittleEndian.Uint32(b) {
	case 0xfeedface, 0xfeedfacf:
		order = binary.LittleEndian
	case 0xcefaedfe, 0xcffaedfe:
		order = binary.BigEndian
	default:
		return Header{}, false
	}
	return Header{Format: "Mach-O", OS: "darwin", Arch: cpu(order.Uint32(b[4:]))}, true
}

func cpu(n uint32) []string {
	return names(map[uint32]string{7: "ia32", 0x01000007: "x64", 12: "arm", 0x0100000c: "arm64"}, n)
}

// readFat reads several programs in one. Java classes begin with the same bytes; their next four are a version above
// 40, while no program has so many parts.
func readFat(b []byte) (Header, bool) {
	if len(b) < 8 {
		return Header{}, false
	}
	size := uint32(20)
	switch binary.BigEndian.Uint32(b) {
	case 0xcafebabe:
	case 0xcafebabf:
		size = 32
	default:
		return Header{}, false
	}
	n := binary.BigEndian.Uint32(b[4:])
	if n == 0 || n > 20 || 8+n*size > uint32(len(b)) {
		return Header{}, false
	}
	h := Header{Format: "Mach-O", OS: "darwin"}
	for i := range n {
		for _, a := range cpu(binary.BigEndian.Uint32(b[8+i*size:])) {
			if !slices.Contains(h.Arch, a) {
				h.Arch = append(h.Arch, a)
			}
		}
	}
	return h, true
}

func names(known map[uint32]string, n uint32) []string {
	if name := known[n]; name != "" {
		return []string{name}
	}
	return nil
}
