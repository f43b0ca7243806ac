package manifest

// A Rule is one thing that a manifest must, or should, hold to. How bad a breach is depends on the case.
type Rule struct {
	ID     string // the rule of a [Finding]
	Why    string // one line
	Source string // where it comes from
	Mends  string // what [Mend] does about a breach, when nothing else can have been meant; "" when that is for the author
}

const (
	schemaSource = "MCPB manifest schema, as @anthropic-ai/mcpb 2.1.2 checks it"
	refSource    = "@anthropic-ai/mcpb 2.1.2, getMcpConfigForManifest"
	specSource   = "MCPB MANIFEST.md"
	ours         = "docs/compatibility.md"
)

// Rules lists every rule about manifests.
func Rules() []Rule {
	return []Rule{
		{"manifest/json", "The file must be JSON.", "RFC 8259", "commas before } or ] are taken out"},
		{"manifest/bom", "A byte order mark is not JSON; some readers fail on it.", "RFC 8259, section 8.1", "it is taken out"},
		{"manifest/encoding", "JSON is exchanged as UTF-8.", "RFC 8259, section 8.1", ""},
		{"manifest/size", "A manifest is read into memory, so its bytes and values are bounded.", ours, ""},
		{"manifest/depth", "Nesting without end exhausts the stack of some readers.", ours, ""},
		{"manifest/duplicate-key", "Of a key given twice, readers take different ones.", "RFC 8259, section 4", "of a key that says the same each time, only the last one stays"},
		{"manifest/version", "manifest_version says which rules apply.", schemaSource, "0.3, \"v0.3\" and \"0.3.0\" become \"0.3\"; dxt_version follows manifest_version, and the other way when only that one is known; from 0.3 on dxt_version alone gets the newer name; so does a misspelt key that holds a version"},
		{"manifest/required", "A required key is missing.", schemaSource, ""},
		{"manifest/type", "A value has another type than the schema says.", schemaSource, "\"true\" becomes true, \"5\" becomes 5, and the other way in args and env; one text becomes a list; an author in the form of package.json, and the address of a repository, become objects; null goes away where the key may be missing"},
		{"manifest/enum", "A value is none of those allowed.", schemaSource, "names that people use become those of the schema, such as windows, macos, nodejs, folder; so does a misspelling near one value only"},
		{"manifest/unknown-key", "A key that the schema does not know: a misspelling, or a newer version.", schemaSource, "a misspelling becomes the key when that is not there, no other is as near, and the value fits"},
		{"manifest/email", "Not an e-mail address.", schemaSource, ""},
		{"manifest/url", "Not a URL.", schemaSource, ""},
		{"manifest/format", "A text has another form than the schema says.", schemaSource, ""},
		{"manifest/name", "The name gives no id under which the extension could be installed.", ours, ""},
		{"manifest/semver", "Updates need versions that can be compared.", specSource, ""},
		{"manifest/entry-point", "The entry point must be a file of the bundle.", ours, ""},
		{"manifest/command", "A command inside the bundle must be a file of the bundle, on every system that it is for.", ours, ""},
		{"manifest/icon", "A picture that is not in the bundle, or has no size, cannot be shown; hosts show PNG.", specSource, ""},
		{"manifest/locale", "Translated texts must be JSON files of the bundle.", specSource, ""},
		{"manifest/undeclared", "${user_config.x} without such an option stays as it is, and the server gets that text.", ours, "a misspelling becomes the option that is declared"},
		{"manifest/unknown-variable", "An unknown variable stays as it is, and the server gets that text.", specSource, "a misspelling becomes the variable; the bare name of an option becomes ${user_config.NAME}"},
		{"manifest/unused-option", "The person is asked for a value that nothing uses.", ours, ""},
		{"manifest/default", "A default that the option itself would refuse.", ours, "a number, true or false in quotes loses them when the option wants one; a number gets them when it wants a text"},
		{"manifest/range", "min and max must leave a number to choose, and say nothing about other types.", ours, ""},
		{"manifest/required-default", "A default does not answer a required option in hosts that follow the reference.", refSource, ""},
		{"manifest/multiple", "multiple is for folders, files and text, not for this type.", specSource, ""},
		{"manifest/sensitive-default", "A secret in the manifest is no secret.", ours, ""},
		{"manifest/platforms", "An empty list of platforms is read as all or as none.", ours, ""},
		{"manifest/version-range", "A version range that cannot be read holds for no version.", "npm semver; PEP 440", ""},
		{"manifest/duplicate", "Two tools or prompts of one name.", ours, ""},
		{"manifest/prompt-argument", "The prompt's text uses an argument that is not declared.", specSource, "a misspelling becomes the argument that is declared"},
		{"manifest/link", "A link that a browser would run, not open.", ours, ""},
	}
}

func sourceOf(id string) string {
	for _, r := range Rules() {
		if r.ID == id {
			return r.Source
		}
	}
	return ours
}
