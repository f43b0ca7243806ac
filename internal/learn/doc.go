// Package learn makes of what a server did the least that it would have to be granted for it: files folded into folders,
// programs by name. A [Learner] takes the events of a server that was started to learn (sandbox.Command.Learn), or that
// was watched. It is pure: it looks at no file.
package learn
