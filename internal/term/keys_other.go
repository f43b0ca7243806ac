//go:build !linux && !darwin

package term

import "io"

// SingleKeys changes nothing on this system: a key comes with Enter.
func SingleKeys(io.Reader) (restore func()) { return func() {} }
