// Package scaffold begins an extension: what `satchel init` writes.
//
// [ReferenceManifest] gives, byte for byte, the manifest that the reference's `mcpb init -y` makes of a package.json, for
// the drop-in. All functions are pure or touch only the folder that they are given, and may be used concurrently.
package scaffold
