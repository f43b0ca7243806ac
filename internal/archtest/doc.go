// Package archtest holds the architecture as tests: which package stands on which floor, which edges inside a floor are
// allowed, which modules the project depends on and why, and the style figures of the house. A refused edge prints a
// sentence that says why. Change table.go together with ARCHITECTURE.md.
package archtest
