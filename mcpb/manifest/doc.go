// Package manifest reads the manifest.json of a bundle, of any version from 0.1 to 0.4.
//
// [Validate] is strict, for authors: it gives a [Report] whose findings have a line, a column, a rule and, where
// possible, the fix. [Parse] is loose, for hosts: unknown keys are warnings, so that a newer or sloppier manifest still
// installs. [ID] makes the id by which the extension is known. Texts come back as the author wrote them: whoever shows
// them on a terminal makes them safe first; [Report.Render] does.
//
// The rules of the schema are the reference's (npm @anthropic-ai/mcpb 2.1.2); where we differ, docs/compatibility.md
// says why. For any input the package promises no panic, and memory in proportion to [MaxSize].
package manifest
