package inside

import (
	"errors"
	"strconv"
)

// ShimName is the name of the program in the role of the shim, which puts limits or walls around itself and becomes the
// server. Who forges it only confines itself.
const ShimName = "satchel-sandbox-shim"

// A ShimOrder is what the shim of macOS does before it becomes another program: limits that no rule can set.
type ShimOrder struct {
	Files uint64   // open ones
	CPU   uint64   // seconds; 0: no limit
	Argv  []string // of the program, which is named first by its path
}

// Args are the arguments of the shim.
func (o ShimOrder) Args() []string {
	return append([]string{ShimName, strconv.FormatUint(o.Files, 10), strconv.FormatUint(o.CPU, 10)}, o.Argv...)
}

// shimOrder reads the arguments of the shim.
func shimOrder(args []string) (o ShimOrder, err error) {
	if len(args) < 4 || args[0] != ShimName {
		return o, errors.New("this is no command: satchel starts it")
	}
	files, err1 := strconv.ParseUint(args[1], 10, 63)
	cpu, err2 := strconv.ParseUint(args[2], 10, 63)
	return ShimOrder{files, cpu, args[3:]}, errors.Join(err1, err2)
}
