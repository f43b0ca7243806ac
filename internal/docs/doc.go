// Package docs tests the documentation: links between pages lead somewhere, pages that are generated from rules are
// current (regenerate with go test ./internal/docs -update), and nothing names a path of somebody's machine.
package docs
