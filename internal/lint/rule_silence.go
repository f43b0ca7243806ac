package lint

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

func silenceRules() []Rule {
	return []Rule{{
		ID: "lint/silence", Title: "A silenced rule without a reason",
		Why: `An author silences a rule in the manifest, under _meta["dev.satchel"].lint, with the reason why it is no defect here; ` +
			"a reviewer reads the reason beside the finding. A rule that there is none of, or an empty reason, silences nothing.",
		Fix:    `write "lint/rule": "why it is no defect here"`,
		Bad:    `"_meta": {"dev.satchel": {"lint": {"lint/network": ""}}}`,
		Good:   `"_meta": {"dev.satchel": {"lint": {"lint/network": "It is a client of example.com."}}}`,
		Source: ours, Author: Warning, Reviewer: Warning, check: checkSilence,
	}}
}

// readSilence gives the author's reasons, by rule.
func readSilence(r *run) map[string]string {
	reasons := map[string]string{}
	for id, raw := range silenced(r) {
		var reason string
		if json.Unmarshal(raw, &reason) == nil && strings.TrimSpace(reason) != "" && isRule(id) {
			reasons[id] = strings.TrimSpace(reason)
		}
	}
	return reasons
}

func silenced(r *run) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(r.manifest.Meta["dev.satchel"]["lint"], &all) != nil {
		return nil
	}
	return all
}

func isRule(id string) bool {
	return id != "lint/silence" && slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID == id })
}

func checkSilence(c *check) {
	all := silenced(c.run)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if c.silence[id] != "" {
			continue
		}
		what := "is no reason: it silences nothing"
		if !isRule(id) {
			what = "is no rule that can be silenced"
		}
		c.add(c.at([]any{"_meta", "dev.satchel", "lint", id}, "%s %s", quote(id), what))
	}
	if raw := c.manifest.Meta["dev.satchel"]["lint"]; len(raw) > 0 && all == nil && string(raw) != "null" {
		c.add(c.at([]any{"_meta", "dev.satchel", "lint"}, "is no object of rules and reasons: it silences nothing"))
	}
}
