package dropin_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// A difference is a line of docs/compatibility.md: something in which the drop-in differs from the reference on purpose.
type difference struct{ id, what, reference, satchel, why string }

// differences is the whole list. A scenario that names a row proves it; a row that none names is refused.
func differences() []difference {
	return []difference{
		{"help", "the last line of `help`", "none", "says that this is Satchel", "a person should see which `mcpb` answers"},
		{"json-words", "why a manifest is no JSON", "as this version of node words it", "in our words, with line and column", "node changes its words"},
		{"system-words", "errors of the system, such as a folder that is not there", "as node words them", "in our words", "the same"},
		{"hidden", "control characters and invisible ones in names and manifests", "printed", "printed as escapes such as `\\x1b`", "a bundle must not drive the terminal"},
		{"questions", "a question when there is no terminal", "drawn all the same, then an error", "an error", "nobody can answer"},
		{"pack-folder", "`pack DIR`: the paths in the list of files", "relative to a folder that is not DIR: `../manifest.json`", "relative to DIR", "it is an oversight"},
		{"pack-order", "`pack`: the order of the list for names in other scripts", "by collation", "by code point", "no tables for a list that is read by people"},
		{"pack-early", "`pack`: what is printed before the bundle cannot be written", "the list of files", "nothing", "nothing is read that cannot be written"},
		{"pack-entry", "`pack`: the entry point is not there", "nothing is said", "a warning", "the server cannot start"},
		{"pack-names", "`pack`: names that differ only in case or Unicode form", "packed", "refused", "one would overwrite the other on other systems"},
		{"pack-slash", "`pack`: a folder taken back by a pattern with a slash (`t/*`, then `!t/c/`)", "stays out", "goes in", "as gitignore has it"},
		{"pack-blank", "`pack`: a blank at the end of a pattern, escaped by a backslash", "cut off", "kept", "as gitignore has it"},
		{"pack-count", "`pack`: the number of ignored files under a pattern that ends with a slash", "each file counts", "the folder counts once", "as with patterns without one"},
		{"pack-proto", "`pack`: a file called `__proto__`", "dropped", "packed", "it may be needed"},
		{"pack-kinds", "`pack`: folders that the default list takes for files, such as `iterator.map/`", "left out", "packed", "they hold code"},
		{"pack-secret", "`pack`: private keys, SSH keys, credentials, `.env*`", "packed, or left out without a word", "left out, with a warning; satchel pack --include packs them", "they are never meant"},
		{"pack-required", "`pack`: the manifest or the entry point is ignored", "left out", "packed", "the bundle would not work"},
		{"pack-link", "`pack`: a link out of the folder", "its target is packed", "refused", "it may be `/etc/passwd`"},
		{"unpack-words", "why a bundle cannot be read", "`invalid zip data`", "the rule that it breaks", "a person should know what to do"},
		{"unpack-exists", "`unpack`: another file, or a link, is where a file goes", "overwritten, written through", "refused", "nothing is ever overwritten"},
		{"unpack-left", "`unpack`: a failure", "leaves a folder, or half of the files", "leaves nothing", "half a bundle is none"},
		{"unpack-folders", "`unpack`: entries for folders (`zip -r`)", "fails", "accepted", "mcpb#261"},
		{"unpack-rules", "`unpack`: archives that readers take differently; see [bundle-rules.md](bundle-rules.md)", "unpacked in some way", "refused", "what is reviewed is what runs"},
		{"sign-who", "`sign`: who signed", "not said, because its own check fails", "said", "it was meant to"},
		{"sign-twice", "`sign`: a signed bundle", "gets a second block behind the first", "the signature is replaced", "readers see one signature"},
		{"sign-ec", "`sign`: an ECDSA key", "fails", "signs", "many authorities give no others"},
		{"sign-match", "`sign`: a key that is not the certificate's, a certificate of somebody else as `-i`", "signs what nobody can verify", "refused", "a script should notice"},
		{"sign-usage", "`sign`: a certificate that is for something else than code, or is not valid now", "signs", "refused", "nobody would trust it"},
		{"sign-words", "`sign`: why a key or a certificate cannot be read", "as its library words it", "in our words, and a warning when others can read the key", "they say what to do"},
		{"sign-self", "`sign --self-signed`: the certificate", "RSA for ten years, an authority for everything, shared by all who use the installation", "ECDSA, for code only, of each user", "a shared key proves nothing"},
		{"verify", "`verify` and `info` of a signed bundle", "`not signed`, whatever the signature is", "what they were meant to say: valid or self-signed and 0, else why not and 1", "mcpb#21"},
		{"no-bundle", "`sign`, `verify`, `info` and `unsign` of a file that is no valid bundle", "signed, or taken as unsigned", "an error and 1", "see [bundle-rules.md](bundle-rules.md)"},
		{"clean-manifest", "`clean`: the manifest", "written anew, without keys that it does not know", "stays as it is", "it is the author's"},
		{"clean-invalid", "`clean`: the manifest is not valid, or there is no bundle", "`Clean Complete` and 0 although nothing is changed, or a stack trace", "an error and 1", "a script should notice"},
		{"clean-unproved", "`clean`: packages were dropped", "nothing is said", "a warning that nothing was started", "`satchel clean` starts it"},
	}
}

const docsPage = "../../../docs/compatibility.md"

// The section of docs/compatibility.md is the table, and each row of it is proved by a scenario.
func TestDocsAreTheTable(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- drop-in: made by go test ./internal/cli/dropin -update -->\n", "<!-- end of drop-in -->\n"
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the drop-in", docsPage)
	}
	var b strings.Builder
	b.WriteString("\n| case | reference | Satchel | why |\n|---|---|---|---|\n")
	for _, d := range differences() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", d.what, d.reference, d.satchel, d.why)
	}
	want := head + begin + b.String() + "\n" + end + tail
	if *update {
		if err := os.WriteFile(docsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Errorf("%s is not what the table says: go test ./internal/cli/dropin -update", docsPage)
	}
}

func TestEachDifferenceIsProved(t *testing.T) {
	t.Parallel()
	proved := map[string]bool{}
	for _, s := range scenarios() {
		for _, id := range s.diffs {
			proved[id] = true
		}
	}
	for _, d := range differences() {
		if !proved[d.id] {
			t.Errorf("no scenario shows the difference %q", d.id)
		}
		delete(proved, d.id)
	}
	for id := range proved {
		t.Errorf("a scenario differs for the reason %q, which is not in the table", id)
	}
}
