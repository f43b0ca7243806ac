// Package dropin speaks the command line of the reference (npm @anthropic-ai/mcpb 2.1.2), so that scripts written for it
// go on when `mcpb` is satchel: the same commands, options, status words, default names, and exit codes 0 and 1.
//
// Use it through package cli: `satchel mcpb ...`, or a program that is called mcpb or dxt ([Named]). It has one file for
// each command, over the same parts as satchel's own commands, whose refusals hold here too. What differs from the
// reference on purpose is the table in differences_test.go, from which a section of docs/compatibility.md is made.
package dropin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"satchel/internal/host"
	"satchel/internal/problem"
	"satchel/internal/signer"
	"satchel/internal/term"
	"satchel/mcpb/signature"
)

// Version is that of the reference whose command line this is. Scripts compare it.
const Version = "2.1.2"

const whatThisIs = "This is Satchel, which speaks the command line of @anthropic-ai/mcpb " + Version + "."

// An Env is what the commands work with.
type Env struct {
	Out, Err *term.Out
	// Ask asks a question that is answered by yes or no. The error says that there is nobody to ask.
	Ask func(question string) (bool, error)
	// SourceDate gives the date that SOURCE_DATE_EPOCH asks for; the zero time when it is not set.
	SourceDate func() (time.Time, error)
	// Clean drops from a bundle what its server does not need, without starting it.
	Clean func(ctx context.Context, path string) (*host.Cleaned, error)
	// Verify verifies a bundle as satchel verify does, by whom the person trusts.
	Verify func(file string) (*signature.Report, error)
	// Config gives the person's folder of settings, which is there.
	Config func() (string, error)
	// Identity reads who signs, and asks for the password of the key when it has one.
	Identity func(ctx context.Context, files signer.Files) (who *signature.Identity, warnings []string, err error)
	// Create asks for what a manifest needs and writes manifest.json into dir.
	Create func(ctx context.Context, dir string) error
}

// A session is one run of a command.
type session struct {
	Env
	ctx context.Context
}

// A program is the reference's command line.
type program struct {
	top      command
	commands []command
}

// Named tells whether a program of this name (argv[0]) is to speak the reference's command line: mcpb, or its former
// name dxt.
func Named(name string) bool {
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // Windows' paths, wherever they are looked at
		name = name[i+1:]
	}
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(name)), ".exe")
	return base == "mcpb" || base == "dxt"
}

// Main runs a command line (without the program's name) and gives the exit code: 0, or 1 for whatever fails; 130 when
// the person stopped it.
func Main(ctx context.Context, args []string, env Env) int {
	s := &session{Env: env, ctx: ctx}
	p := newProgram()
	code, err := p.run(s, args)
	if err != nil {
		s.complain("%s", err.Error())
		return 1
	}
	if code != 0 && ctx.Err() != nil {
		return problem.Interrupted.Exit()
	}
	return code
}

func newProgram() *program {
	return &program{
		top: command{
			name: "mcpb", about: "Tools for building MCP Bundles",
			options: []option{{short: "-V", long: "--version", about: "output the version number"}},
		},
		commands: []command{
			initCommand(), validateCommand(), cleanCommand(), packCommand(), unpackCommand(), signCommand(), verifyCommand(), infoCommand(), unsignCommand(),
		},
	}
}

func (p *program) run(s *session, argv []string) (int, error) {
	version := false
	operands, unknown, err := p.top.split(argv, func(*option, string) { version = true })
	switch {
	case err != nil:
		return 1, err
	case version:
		s.say("%s", Version)
		return 0, nil
	case len(operands)+len(unknown) == 0:
		s.Err.Printf("%s", p.help())
		return 1, nil
	case len(operands) > 0:
		if c := p.find(operands[0]); c != nil {
			return p.call(s, c, operands[1:], unknown)
		}
		if operands[0] == "help" {
			return p.showHelp(s, operands[1:]), nil
		}
	}
	switch {
	case asksForHelp(unknown):
		s.Out.Printf("%s", p.help())
		return 0, nil
	case len(operands) > 0:
		return 1, usageError(fmt.Sprintf("unknown command '%s'%s", operands[0], similar(operands[0], p.names())))
	}
	return 1, p.unknownOption(&p.top, unknown[0])
}

func (p *program) find(name string) *command {
	i := slices.IndexFunc(p.commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return &p.commands[i]
}

func (p *program) names() []string {
	names := []string{"help"}
	for _, c := range p.commands {
		names = append(names, c.name)
	}
	return names
}

// call reads the rest of a command line as that of one command, and runs it.
func (p *program) call(s *session, c *command, args, rest []string) (int, error) {
	in := call{values: map[string][]string{}}
	operands, unknown, err := c.split(rest, func(o *option, value string) { in.values[o.long] = append(in.values[o.long], value) })
	if err != nil {
		return 1, err
	}
	if asksForHelp(unknown) {
		s.Out.Printf("%s", c.help())
		return 0, nil
	}
	if len(unknown) > 0 {
		return 1, p.unknownOption(c, unknown[0])
	}
	in.args = slices.Concat(args, operands)
	if err := c.check(in.args); err != nil {
		return 1, err
	}
	return c.run(s, in), nil
}

func asksForHelp(args []string) bool {
	return slices.Contains(args, "-h") || slices.Contains(args, "--help")
}

// unknownOption proposes options of the command and of the whole program.
func (p *program) unknownOption(c *command, arg string) error {
	hint := ""
	if strings.HasPrefix(arg, "--") {
		known := []string{"--help", "--version"}
		for _, o := range c.options {
			known = append(known, o.long)
		}
		hint = similar(arg, known)
	}
	return usageError(fmt.Sprintf("unknown option '%s'%s", arg, hint))
}

// showHelp is the command help. One that there is not gets the help of all, and fails.
func (p *program) showHelp(s *session, args []string) int {
	if len(args) == 0 || args[0] == "" {
		s.Out.Printf("%s", p.help())
		return 0
	}
	if c := p.find(args[0]); c != nil {
		s.Out.Printf("%s", c.help())
		return 0
	}
	s.Err.Printf("%s", p.help())
	return 1
}

// say writes a line. Text of foreign origin in args is made one line by the caller; nothing hidden gets through.
func (s *session) say(format string, args ...any) {
	s.Out.Printf("%s\n", term.Visible(fmt.Sprintf(format, args...)))
}

// complain writes a line to the error stream.
func (s *session) complain(format string, args ...any) {
	s.Err.Printf("%s\n", term.Visible(fmt.Sprintf(format, args...)))
}

// fail reports an error as the reference does, with what can be done about it.
func (s *session) fail(what string, err error) int {
	s.complain("ERROR: %s: %s", what, term.VisibleLine(err.Error()))
	s.hint(err)
	return 1
}

// failAloud is fail where the reference writes to standard output.
func (s *session) failAloud(what string, err error) int {
	s.say("ERROR: %s: %s", what, term.VisibleLine(err.Error()))
	s.hint(err)
	return 1
}

func (s *session) hint(err error) {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Hint != "" {
		s.complain("  %s", term.Visible(p.Hint))
	}
}
