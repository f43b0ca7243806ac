// Package mcpb reads and writes bundles: the .mcpb (formerly .dxt) files that carry an MCP server in a ZIP archive.
//
// [Open] reads a bundle's directory and refuses every archive that two readers could understand differently, or that
// would write outside a folder, before anything is written; [Bundle.Extract] unpacks it through os.Root, in parallel,
// and leaves nothing behind when it fails. [PackFile] makes a bundle of a folder: the same files give the same bytes.
//
// The package promises for any input: no panic, memory bounded by [Limits], nothing written outside the folder given,
// and an error of type *[Problem] that names the file, the entry, the rule and where the rule comes from. The rules are
// listed by [Rules] and explained in docs/bundle-rules.md. A signature block is recognised when a bundle is opened;
// [Bundle.Verify] verifies it.
package mcpb

import "satchel/internal/problem"

// A Problem is an error that names what was refused, by which rule, and what to do; find it with errors.As.
type Problem = problem.Problem
