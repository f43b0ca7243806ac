//go:build !linux

package e2e

// playRoles has none: there is no sandbox on this system yet.
func playRoles() {}

func programs() []string { return []string{"satchel/cmd/satchel"} }
