package lint

import (
	"maps"
	"slices"

	"satchel/internal/jsonedit"
	"satchel/internal/spell"
)

func toolRules() []Rule {
	return []Rule{{
		ID: "lint/duplicate-tool", Title: "Two tools that read alike",
		Why: "A model, and a person who allows a tool, choose by name. Two names that are the same but for case, separators or letters of another alphabet " +
			"are mistaken for each other, by accident or on purpose.",
		Fix:    "rename or delete one of them",
		Bad:    `"tools": [{"name": "read_file"}, {"name": "Read-File"}]`,
		Good:   `"tools": [{"name": "read_file"}, {"name": "read_folder"}]`,
		Source: "Unicode UTS #39, confusable characters", Author: Warning, Reviewer: Error, Mends: "deletes a tool that the manifest lists twice with the same text", check: checkDuplicateTools,
	}}
}

func servedRules() []Rule {
	return []Rule{
		{
			ID: "lint/not-served", Title: "A tool that is declared but not served",
			Why:    "Whoever reads the manifest, or a directory made from it, is promised a tool that is not there.",
			Fix:    "delete it from the manifest, or serve it; a tool that needs an answer to appear is why: give it with --config",
			Bad:    `"tools": [{"name": "search"}]  // tools/list has no search`,
			Good:   `"tools": [{"name": "search"}]  // tools/list has it`,
			Source: mcpbSource, Author: Warning, Reviewer: Error, Served: true, check: checkNotServed,
		},
		{
			ID: "lint/not-declared", Title: "A tool that is served but not declared",
			Why:    "A person who reviews the extension does not see this tool in its manifest, and a directory does not show it.",
			Fix:    `add it to "tools", or say "tools_generated": true when the tools depend on the person's answers`,
			Bad:    `"tools": [{"name": "read"}]  // tools/list has read and delete`,
			Good:   `"tools": [{"name": "read"}, {"name": "delete"}]`,
			Source: mcpbSource, Author: Warning, Reviewer: Error, Served: true, Mends: "adds the tool with the server's own description", check: checkNotDeclared,
		},
	}
}

func checkDuplicateTools(c *check) {
	declared := map[string]int{}
	for i, t := range c.manifest.Tools {
		key := sketch(t.Name)
		first, twice := declared[key]
		if !twice {
			declared[key] = i
			continue
		}
		f := c.at([]any{"tools", i, "name"}, "%s reads like %s", quote(t.Name), quote(c.manifest.Tools[first].Name))
		if other := c.manifest.Tools[first]; other.Name == t.Name {
			f.Message = quote(t.Name) + " is listed twice"
			if other.Description == t.Description {
				f.mend = mending("deleted the second "+quote(t.Name), jsonedit.Delete(jsonedit.Path{"tools", i}))
			}
		}
		c.add(f)
	}
	if c.subject.Served == nil {
		return
	}
	names := map[string]string{}
	for i, t := range c.subject.Served.Tools {
		key := sketch(t.Name)
		if other, twice := names[key]; twice {
			c.add(served(toolPath(i, t.Name), "reads like the tool %s", quote(other)))
			continue
		}
		names[key] = t.Name
	}
}

func checkNotServed(c *check) {
	tools := map[string]bool{}
	for _, t := range c.subject.Served.Tools {
		tools[t.Name] = true
	}
	for i, t := range c.manifest.Tools {
		if tools[t.Name] {
			continue
		}
		f := c.at([]any{"tools", i, "name"}, "%s is declared, but the server does not serve it", quote(t.Name))
		if near := spell.Nearest(t.Name, slices.Sorted(maps.Keys(tools))); near != "" {
			f.Fix = "did you mean " + quote(near) + "?"
		}
		c.add(f)
	}
	c.promptsNotServed()
}

func (c *check) promptsNotServed() {
	prompts := map[string]bool{}
	for _, p := range c.subject.Served.Prompts {
		prompts[p.Name] = true
	}
	for i, p := range c.manifest.Prompts {
		if len(prompts) > 0 && !prompts[p.Name] { // a host makes the prompts of a manifest itself when the server has none
			c.add(c.at([]any{"prompts", i, "name"}, "%s is declared, but the server does not serve it", quote(p.Name)))
		}
	}
}

// maxDeclared bounds the texts of a server that --fix writes into a manifest, in bytes.
const maxDeclared = 16 << 10

// A declaration is a tool as a manifest lists it.
type declaration struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

func checkNotDeclared(c *check) {
	if c.manifest.ToolsGenerated {
		return
	}
	declared := map[string]bool{}
	for _, t := range c.manifest.Tools {
		declared[t.Name] = true
	}
	var missing []declaration
	mendable := true
	for _, t := range c.subject.Served.Tools {
		if declared[t.Name] {
			continue
		}
		hidden, _, _ := hiddenIn(t.Name)
		mendable = mendable && hidden == 0 && len(t.Name) <= maxDeclared && len(t.Description) <= maxDeclared
		_, _, description := hiddenIn(t.Description) // else the manifest gets what lint finds
		missing = append(missing, declaration{t.Name, description})
	}
	for i, t := range missing {
		name := t.Name
		f := c.at([]any{"tools"}, "does not declare %s, which the server serves", quote(name))
		if !mendable {
			c.add(f)
			continue
		}
		if c.manifest.Tools != nil {
			f.mend = mending("declared "+quote(name), jsonedit.Set(jsonedit.Path{"tools", len(c.manifest.Tools) + i}, t))
		} else if i == 0 {
			f.mend = mending("declared "+plural(len(missing), "tool"), jsonedit.Set(jsonedit.Path{"tools"}, missing))
		}
		c.add(f)
	}
}
