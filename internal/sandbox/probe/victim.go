package probe

import (
	"fmt"
	"io"
	"os"
	"unsafe"
)

// The names that the program has in the roles of a sibling with a secret, and of a process that only waits.
const (
	VictimName = "satchel-sandbox-victim"
	WaiterName = "satchel-sandbox-waiter"
)

// wait waits until the standard input ends. The victim holds the secret of its environment in its memory too, and prints
// where.
func wait() {
	if os.Args[0] == VictimName {
		secret := []byte(os.Getenv("SECRET"))
		fmt.Println(uintptr(unsafe.Pointer(&secret[0])))
		defer func() { _ = secret[0] }()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}
