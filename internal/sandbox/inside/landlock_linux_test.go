package inside

import (
	"errors"
	"testing"
	"unsafe"
)

// TestRulesetsOfEveryVersion: no order is followed in part. What a kernel cannot hold is refused, so that the host can
// say so.
func TestRulesetsOfEveryVersion(t *testing.T) {
	closed, open, ports := Order{}, Order{Net: true}, Order{Connect: []int{3128}}
	for abi := range 9 {
		for name, c := range map[string]struct {
			order *Order
			least int
			net   bool // TCP is judged
		}{"no network": {&closed, 3, abi >= 4}, "a network of its own": {&open, 3, false}, "ports of the machine": {&ports, 4, true}} {
			attr, size, err := c.order.ruleset(abi)
			if _, refused := errors.AsType[*refusedError](err); refused != (abi < c.least) || (err != nil) != refused {
				t.Errorf("version %d, %s: %v", abi, name, err)
			}
			if err != nil {
				continue
			}
			if (attr.net != 0) != c.net || attr.files == 0 || (attr.scope != 0) != (abi >= 6) {
				t.Errorf("version %d, %s: %+v", abi, name, attr)
			}
			if size > unsafe.Sizeof(attr) || (size < 16) != (abi < 4) || (size < 24) != (abi < 6) {
				t.Errorf("version %d, %s: %d bytes", abi, name, size)
			}
		}
	}
}
