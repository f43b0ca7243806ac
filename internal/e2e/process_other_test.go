//go:build !linux

package e2e

import "testing"

// checkNoProcess needs /proc.
func checkNoProcess(t *testing.T, _ string) {
	t.Helper()
	t.Log("not checked on this system: that no process is left")
}
