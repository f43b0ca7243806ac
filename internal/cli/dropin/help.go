package dropin

import (
	"fmt"
	"slices"
	"strings"

	"satchel/internal/spell"
)

const helpWidth = 80 // columns, as commander takes them where there is no terminal

// A row is a line of help: what to type and what it does.
type row struct{ term, about string }

func helpRow() row { return row{"-h, --help", "display help for command"} }

// help is the text that commander makes of a command.
func (c *command) help() string {
	usage := c.name + " [options]"
	for _, a := range c.args {
		usage += " " + a
	}
	var rows []row
	for i := range c.options {
		o := &c.options[i]
		about := o.about
		if o.initial != "" {
			about += fmt.Sprintf(" (default: %q)", o.initial)
		}
		rows = append(rows, row{o.flags(), about})
	}
	rows = append(rows, helpRow())
	return fmt.Sprintf("Usage: mcpb %s\n\n%s\n\nOptions:\n%s", usage, c.about, table(rows, width(rows)))
}

// help is the text about the whole program.
func (p *program) help() string {
	options := []row{{p.top.options[0].flags(), p.top.options[0].about}, helpRow()}
	var commands []row
	for i := range p.commands {
		c := &p.commands[i]
		term := c.name
		if len(c.options) > 0 {
			term += " [options]"
		}
		for _, a := range c.args {
			term += " " + a
		}
		commands = append(commands, row{term, c.about})
	}
	commands = append(commands, row{"help [command]", "display help for command"})
	w := max(width(options), width(commands))
	return fmt.Sprintf("Usage: mcpb [options] [command]\n\n%s\n\nOptions:\n%s\nCommands:\n%s\n%s\n",
		p.top.about, table(options, w), table(commands, w), whatThisIs)
}

func width(rows []row) (w int) {
	for _, r := range rows {
		w = max(w, len(r.term))
	}
	return w
}

// table lays rows out in two columns, the second wrapped.
func table(rows []row, width int) string {
	var b strings.Builder
	indent := strings.Repeat(" ", width+4)
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, r.term, strings.Join(wrap(r.about, helpWidth-width-4), "\n"+indent))
	}
	return b.String()
}

// wrap breaks text at blanks into lines of at most n characters.
func wrap(text string, n int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > n {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	return append(lines, line)
}

// similar asks whether something else was meant, "" when nothing is near: at most three letters differ, and fewer than
// three in five.
func similar(word string, known []string) string {
	bare, options := strings.CutPrefix(word, "--")
	var near []string
	best := 3
	for _, k := range known {
		name := strings.TrimPrefix(k, "--")
		longest := max(len(bare), len(name))
		if len(bare)-len(name) > 3 || len(name)-len(bare) > 3 {
			continue
		}
		d := spell.Distance(bare, name)
		if d > best || 10*(longest-d) <= 4*longest {
			continue
		}
		if d < best {
			best, near = d, nil
		}
		near = append(near, k)
	}
	slices.Sort(near)
	near = slices.Compact(near)
	switch {
	case len(near) == 0 || options != strings.HasPrefix(near[0], "--"):
		return ""
	case len(near) == 1:
		return "\n(Did you mean " + near[0] + "?)"
	}
	return "\n(Did you mean one of " + strings.Join(near, ", ") + "?)"
}
