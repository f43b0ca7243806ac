// Package seatbelt writes the rules that macOS holds a server to, as text in the language of sandbox-exec (SBPL). Use it
// to start a server there: package sandbox hands the text to /usr/bin/sandbox-exec.
//
// It is apart, and builds everywhere, because nobody here can run it: what is generated is pinned by the tests on Linux.
//
// The language in a few words: everything is refused that no rule allows; of the rules that match, the last one counts.
// Paths in rules are compared with the real path that the kernel knows, in which no link is left.
package seatbelt
