package grant

import "satchel/internal/spec"

// A Set is a grant with a name, for a person to choose from where nothing can be derived.
type Set struct {
	Name  string `json:"name"` // takes the place of a word in --grant
	Title string `json:"title"`
	Grant Grant  `json:"grant"`
}

// Contained is the name of the set that holds nothing: the extension's own files and its own folder.
const Contained = "contained"

// Sets are the grants to choose from, the narrowest first. Those of folders are left out where the machine has no such
// folder.
func Sets(m Machine) []Set {
	sets := []Set{{Contained, "only its own files and its own folder, no network", Grant{}}}
	if docs := m.User.Documents; docs != "" {
		sets = append(sets,
			Set{"documents-read", "reads your documents, no network", Grant{Files: []File{{Path: docs}}}},
			Set{"documents-write", "reads and changes your documents, no network", Grant{Files: []File{{Path: docs, Write: true}}}})
	}
	if down := m.User.Downloads; down != "" {
		sets = append(sets, Set{"downloads-read", "reads what you downloaded, no network", Grant{Files: []File{{Path: down}}}})
	}
	return append(sets, Set{"network", "reaches every public host, no files of yours", Grant{Net: Net{Any: true}}})
}

func setOf(name string, m Machine) (Set, bool) {
	for _, s := range Sets(m) {
		if s.Name == name {
			return s, true
		}
	}
	return Set{}, false
}

// Levels of risk beside those of package spec. None needs no word; Refused is never granted.
const (
	None    spec.Level = ""
	Refused spec.Level = "refused"
)
