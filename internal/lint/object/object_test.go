package object

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestRealPrograms are made by Go's compiler for each system.
func TestRealPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module x\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ goos, goarch, want string }{
		{"linux", "amd64", "{ELF linux [x64]}"}, {"darwin", "amd64", "{Mach-O darwin [x64]}"}, {"windows", "amd64", "{PE win32 [x64]}"},
	} {
		out := filepath.Join(dir, c.goos+c.goarch)
		cmd := exec.Command("go", "build", "-o", out, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS="+c.goos, "GOARCH="+c.goarch, "CGO_ENABLED=0", "GOFLAGS=")
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s/%s: %v\n%s", c.goos, c.goarch, err, msg)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if h, ok := Read(data[:HeadSize]); !ok || fmt.Sprint(h) != c.want {
			t.Errorf("%s/%s: %v, want %s", c.goos, c.goarch, h, c.want)
		}
	}
}

func TestFatPrograms(t *testing.T) {
	t.Parallel()
	be := binary.BigEndian
	part := func(cpu uint32) []byte {
		return be.AppendUint32(be.AppendUint32(be.AppendUint32(be.AppendUint32(be.AppendUint32(nil, cpu), 0), 0), 0), 0)
	}
	head := be.AppendUint32(be.AppendUint32(nil, 0xcafebabe), 2)
	fat := append(append(head, part(0x01000007)...), part(0x0100000c)...)
	if h, ok := Read(fat); !ok || fmt.Sprint(h) != "{Mach-O darwin [x64 arm64]}" {
		t.Errorf("%v, %v", h, ok)
	}
	java := be.AppendUint32(be.AppendUint32(nil, 0xcafebabe), 52) // a class of Java 8
	if h, ok := Read(append(java, make([]byte, 4000)...)); ok {
		t.Errorf("a Java class is %v", h)
	}
}

func TestNoPrograms(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"", "MZ", "\x7fELF", "#!/bin/sh\n", "\xca\xfe\xba\xbe", "\xfe\xed\xfa\xce", "MZ" + string(bytes.Repeat([]byte{0xff}, 100))} {
		if h, ok := Read([]byte(head)); ok {
			t.Errorf("%q is %v", head, h)
		}
	}
}

// FuzzRead: what Go's own readers accept, we know the system of.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01\x00"))
	f.Add([]byte("MZ"))
	f.Add([]byte("\xca\xfe\xba\xbe\x00\x00\x00\x01"))
	f.Add([]byte("\xcf\xfa\xed\xfe\x07\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, head []byte) {
		h, ok := Read(head[:min(len(head), HeadSize)])
		if ok && (h.OS == "" || h.Format == "") {
			t.Fatalf("%+v", h)
		}
		r := bytes.NewReader(head)
		if _, err := elf.NewFile(r); err == nil && h.Format != "ELF" {
			t.Fatalf("an ELF file is %+v", h)
		}
		if _, err := macho.NewFile(r); err == nil && h.Format != "Mach-O" {
			t.Fatalf("a Mach-O file is %+v", h)
		}
		if _, err := pe.NewFile(r); err == nil && len(head) > 2 && string(head[:2]) == "MZ" && len(head) < HeadSize && h.Format != "PE" {
			t.Fatalf("a PE file is %+v", h)
		}
	})
}
