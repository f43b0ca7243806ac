package lint

import (
	"errors"

	"satchel/internal/grant"
	"satchel/internal/problem"
)

func permissionRules() []Rule {
	return []Rule{{
		ID: "lint/permissions", Title: "Declared permissions that are none",
		Why: `What an extension may do beside its own files stands in the manifest, under _meta["dev.satchel"].permissions, in the words of ` +
			"docs/permissions.md. A host refuses the whole manifest when one of them is no word or asks for what nobody may grant.",
		Fix:    "write what is needed in the words of docs/permissions.md, with an answer's key where the person chooses",
		Bad:    `"_meta": {"dev.satchel": {"permissions": {"reed": ["${user_config.folder}"]}}}`,
		Good:   `"_meta": {"dev.satchel": {"permissions": {"read": ["${user_config.folder}"]}}}`,
		Source: "docs/permissions.md", Author: Error, Reviewer: Error, check: checkPermissions,
	}}
}

func checkPermissions(c *check) {
	err := grant.Validate(c.manifest)
	if err == nil {
		return
	}
	text := err.Error()
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		text = p.Subject + ": " + p.Message
		if p.Cause != nil {
			text += ": " + p.Cause.Error()
		}
	}
	c.add(c.at([]any{"_meta", "dev.satchel", "permissions"}, "%s", text))
}
