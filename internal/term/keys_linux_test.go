package term

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// On a real terminal a key comes at once and is not shown; afterwards the terminal is as it was.
func TestSingleKeys(t *testing.T) {
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal can be made: %v", err)
	}
	defer person.Close()
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	flags := func() uint32 {
		s, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return s.Lflag
	}
	before := flags()
	restore := SingleKeys(tty)
	if now := flags(); now&(unix.ICANON|unix.ECHO) != 0 || now&unix.ISIG == 0 {
		t.Errorf("flags %x, were %x", now, before)
	}
	if _, err := person.WriteString("q"); err != nil { // without Enter
		t.Fatal(err)
	}
	key := make([]byte, 10)
	if n, err := tty.Read(key); err != nil || string(key[:n]) != "q" {
		t.Errorf("%q, %v", key[:n], err)
	}
	if restore(); flags() != before {
		t.Errorf("flags %x, were %x", flags(), before)
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	SingleKeys(file)()
}
