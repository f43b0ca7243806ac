// Package problem is the one vocabulary of errors.
//
// Use it wherever something is refused or fails in a way that a person must act on. A [Problem] says what was
// refused, by which rule, where that rule comes from, and the next command to type; [ExitCode] maps any error to the
// exit code of the command line. Errors of other types are internal: they exit with 1.
//
// A Problem is built once and not changed afterwards; it is safe for concurrent use.
package problem

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A Code is the class of a problem. Its exit code is part of the command line's contract (docs/exit-codes.md).
type Code string

// The classes of problems, in the order of their exit codes.
const (
	Failed      Code = "failed"       // 1: an operation did not succeed, or an internal error
	Usage       Code = "usage"        // 2: the command line is wrong
	Invalid     Code = "invalid"      // 3: a manifest or a bundle is not valid
	Refused     Code = "refused"      // 4: refused by policy, by a missing grant, or not agreed to
	Untrusted   Code = "untrusted"    // 5: the signature is not trusted
	NotFound    Code = "not_found"    // 6: a file, an extension or a tool does not exist
	NeedsConfig Code = "needs_config" // 7: an answer that the extension requires is missing
	Unsigned    Code = "unsigned"     // 8: there is no signature
	Tampered    Code = "tampered"     // 9: the signature does not fit the content, or is malformed
	Interrupted Code = "interrupted"  // 130: stopped by the person
)

// Exit gives the exit code of a class; an unknown class exits with 1.
func (c Code) Exit() int {
	switch c {
	case Usage:
		return 2
	case Invalid:
		return 3
	case Refused:
		return 4
	case Untrusted:
		return 5
	case NotFound:
		return 6
	case NeedsConfig:
		return 7
	case Unsigned:
		return 8
	case Tampered:
		return 9
	case Interrupted:
		return 130
	default:
		return 1
	}
}

// A Problem is an error that a person can act on.
type Problem struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`           // what was wrong, one sentence without the subject
	Subject string `json:"subject,omitempty"` // what was refused: a file, an entry of a bundle, an id
	Rule    string `json:"rule,omitempty"`    // the rule's id, such as "bundle/path-traversal"
	Source  string `json:"source,omitempty"`  // where the rule comes from: a specification, a docs page
	Hint    string `json:"hint,omitempty"`    // how to mend it, or the next command to type
	Cause   error  `json:"-"`
}

// New makes a problem of class code under a rule id ("" when there is none); format and args give the message.
func New(code Code, rule, format string, args ...any) *Problem {
	return &Problem{Code: code, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// At returns a copy of p that names what was refused.
func (p *Problem) At(subject string) *Problem {
	q := *p
	q.Subject = subject
	return &q
}

// Try returns a copy of p with the way to mend it.
func (p *Problem) Try(format string, args ...any) *Problem {
	q := *p
	q.Hint = fmt.Sprintf(format, args...)
	return &q
}

// From returns a copy of p that names where its rule comes from.
func (p *Problem) From(source string) *Problem {
	q := *p
	q.Source = source
	return &q
}

// Because returns a copy of p with an underlying error.
func (p *Problem) Because(err error) *Problem {
	q := *p
	q.Cause = err
	return &q
}

// Coded returns a copy of p of another class.
func (p *Problem) Coded(code Code) *Problem {
	q := *p
	q.Code = code
	return &q
}

// Error gives subject, message and cause on one line.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Subject != "" {
		b.WriteString(p.Subject + ": ")
	}
	b.WriteString(p.Message)
	if p.Cause != nil {
		b.WriteString(": " + p.Cause.Error())
	}
	return b.String()
}

// Unwrap gives the underlying error.
func (p *Problem) Unwrap() error { return p.Cause }

// CodeOf gives the class of an error: of the first Problem in its chain, Interrupted for a cancelled context, else Failed.
func CodeOf(err error) Code {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p.Code
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	return Failed
}

// ExitCode gives the exit code of an error; 0 for nil.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	return CodeOf(err).Exit()
}
