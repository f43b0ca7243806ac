// Package supervisor runs the servers of extensions. Use [Start] to speak with a server through pipes of our own, and
// [Attach] to hand an app's pipes straight to it, with no copying in between.
//
// However a server ends, and however we end, its whole process tree ends too (package procgroup).
package supervisor
