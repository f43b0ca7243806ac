package probe

import (
	"fmt"
	"os"
)

func environment(pid int) ([]byte, error) { return os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)) }
