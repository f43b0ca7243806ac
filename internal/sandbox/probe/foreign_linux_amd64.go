package probe

import "fmt"

// foreign32 makes a system call of another architecture.
func foreign32() uint32

func foreign() error {
	if got := int32(foreign32()); got < 0 {
		return fmt.Errorf("error %d", -got)
	}
	return nil
}
