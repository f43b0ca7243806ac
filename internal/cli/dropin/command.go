package dropin

import (
	"fmt"
	"slices"
	"strings"
)

// An option is one that a command takes, as commander (https://github.com/tj/commander.js) would write it.
type option struct {
	short, long string // "-c" and "--cert"; short may be ""
	value       string // "<path>", or "<paths...>" when it takes all that follows; "" for a flag
	initial     string // the value when the option is not given
	about       string
}

func (o *option) variadic() bool { return strings.HasSuffix(o.value, "...>") }

// flags writes the option as its help shows it.
func (o *option) flags() string {
	text := o.long
	if o.short != "" {
		text = o.short + ", " + text
	}
	if o.value != "" {
		text += " " + o.value
	}
	return text
}

// A command is one of the reference's commands.
type command struct {
	name    string
	about   string
	args    []string // "<needed>" and "[optional]"
	options []option
	run     func(*session, call) int
}

// A call is a parsed command line: the arguments, and the values of the options by their long names.
type call struct {
	args   []string
	values map[string][]string
}

// arg gives the argument at i, or what it is when it is not given.
func (c call) arg(i int, otherwise string) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return otherwise
}

// has tells whether an option is given.
func (c call) has(o option) bool { return len(c.values[o.long]) > 0 }

// value gives the last value of an option.
func (c call) value(o option) string {
	if v := c.values[o.long]; len(v) > 0 {
		return v[len(v)-1]
	}
	return o.initial
}

// A usageError is a command line that cannot be understood, in commander's words.
type usageError string

// Error implements error.
func (e usageError) Error() string { return "error: " + string(e) }

func isOption(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// find gives the option of an argument such as -c or --cert.
func (c *command) find(arg string) *option {
	i := slices.IndexFunc(c.options, func(o option) bool { return arg != "" && (o.short == arg || o.long == arg) })
	if i < 0 {
		return nil
	}
	return &c.options[i]
}

// split tells the options that the command knows, handed to set, from operands, and from unknown: the first option that
// it does not know with all that follows it, for a command below it.
func (c *command) split(argv []string, set func(*option, string)) (operands, unknown []string, err error) {
	dest := &operands
	var open *option // a variadic one, which takes what follows
	for len(argv) > 0 {
		arg := argv[0]
		argv = argv[1:]
		switch {
		case arg == "--":
			if dest == &unknown {
				unknown = append(unknown, arg)
			}
			*dest = append(*dest, argv...)
			return operands, unknown, nil
		case open != nil && !isOption(arg):
			set(open, arg)
			continue
		}
		open = nil
		if o := c.find(arg); o != nil {
			if argv, err = take(o, argv, set); err != nil {
				return nil, nil, err
			}
			if o.variadic() {
				open = o
			}
			continue
		}
		if rest, ok := c.attached(arg, set); ok {
			argv = slices.Concat(rest, argv)
			continue
		}
		if isOption(arg) {
			dest = &unknown
		}
		*dest = append(*dest, arg)
	}
	return operands, unknown, nil
}

// take hands an option its value, which is the next argument whatever it looks like.
func take(o *option, argv []string, set func(*option, string)) ([]string, error) {
	if o.value == "" {
		set(o, "")
		return argv, nil
	}
	if len(argv) == 0 {
		return nil, usageError(fmt.Sprintf("option '%s' argument missing", o.flags()))
	}
	set(o, argv[0])
	return argv[1:], nil
}

// attached reads -cVALUE, --cert=VALUE, and -ab, of which -b is yet to be read.
func (c *command) attached(arg string, set func(*option, string)) (rest []string, ok bool) {
	if name, value, found := strings.Cut(arg, "="); found && strings.HasPrefix(name, "--") {
		o := c.find(name)
		if o == nil || o.value == "" {
			return nil, false
		}
		set(o, value)
		return nil, true
	}
	if len(arg) < 3 || arg[0] != '-' || arg[1] == '-' {
		return nil, false
	}
	switch o := c.find(arg[:2]); {
	case o == nil:
		return nil, false
	case o.value != "":
		set(o, arg[2:])
		return nil, true
	default:
		set(o, "")
		return []string{"-" + arg[2:]}, true
	}
}

// check holds a command's arguments to their number.
func (c *command) check(args []string) error {
	for _, a := range c.args[min(len(args), len(c.args)):] {
		if a[0] == '<' {
			return usageError(fmt.Sprintf("missing required argument '%s'", strings.Trim(a, "<>")))
		}
	}
	if n := len(c.args); len(args) > n {
		s := "s"
		if n == 1 {
			s = ""
		}
		return usageError(fmt.Sprintf("too many arguments for '%s'. Expected %d argument%s but got %d.", c.name, n, s, len(args)))
	}
	return nil
}
