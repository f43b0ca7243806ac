//go:build !windows

package mcpb

// hasModes tells whether the system keeps permission bits.
const hasModes = true
