package manifest

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"

	"satchel/internal/problem"
)

// schemaOf gives a schema of ours, read by somebody else's library.
func schemaOf(t testing.TB, version string, loose bool) *jsonschema.Resolved {
	t.Helper()
	text, err := JSONSchema(version, loose)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// TestSchemaAndValidatorAgree asks both about every manifest of the corpus and some thousand mutations: the schema of
// each version, the one that picks, and that of hosts.
func TestSchemaAndValidatorAgree(t *testing.T) {
	t.Parallel()
	texts := mutations(t)
	maps.Copy(texts, rawManifests())
	for _, v := range verdicts(t) {
		texts[v.file] = string(corpusFile(t, v.file))
	}
	schemas := map[string]*jsonschema.Resolved{"": schemaOf(t, "", false), "loose": schemaOf(t, "", true)}
	for _, v := range Versions() {
		schemas[v], schemas["loose "+v] = schemaOf(t, v, false), schemaOf(t, v, true)
	}
	judged, valid := 0, 0
	for i, name := range slices.Sorted(maps.Keys(texts)) {
		var value any
		if json.Unmarshal([]byte(texts[name]), &value) != nil {
			continue // a schema is about JSON
		}
		judged++
		c, _ := check([]byte(texts[name]), Checks{SchemaOnly: true})
		strict := c.errors == 0
		_, _, err := Parse([]byte(texts[name]))
		if strict {
			valid++
		}
		for key, s := range schemas {
			about, loose := strings.CutPrefix(key, "loose")
			about = strings.TrimSpace(about)
			if about != "" && about != c.version.String() && i%8 != 0 {
				continue // that another version is refused need not be seen each time
			}
			want := strict
			if loose {
				want = err == nil
			}
			want = want && (about == "" || about == c.version.String())
			if said := s.Validate(value); (said == nil) != want {
				t.Errorf("%s: the schema %q says %v, we say %t %+v", name, key, said, want, c.out)
			}
		}
	}
	if judged < 2900 || valid < 150 {
		t.Errorf("%d judged, %d of them valid: that says little", judged, valid)
	}
	t.Logf("%d manifests, %d of them valid", judged, valid)
}

// TestEachKeyIsExplained holds the words to the shape, both ways; an example must be one.
func TestEachKeyIsExplained(t *testing.T) {
	t.Parallel()
	left := words()
	var visit func(s *shape, at string)
	visit = func(s *shape, at string) {
		about, ok := left[at]
		delete(left, at)
		var value any
		switch {
		case !ok && s.fields == nil && s.elem == nil && !strings.HasSuffix(at, "]") && !strings.HasSuffix(at, "*"):
			t.Errorf("%s is not explained", at)
		case about.example == "":
		case json.Unmarshal([]byte(about.example), &value) != nil:
			t.Errorf("%s: the example %s is no JSON", at, about.example)
		default:
			c := &checker{data: []byte(about.example), root: manifestShape(), version: v4}
			root, _ := readTree(c.data)
			if c.walk(s, root, nil); len(c.out) > 0 {
				t.Errorf("%s: the example is none: %+v", at, c.out)
			}
		}
		for _, f := range s.fields {
			visit(f.shape, strings.TrimPrefix(at+"."+f.name, "."))
		}
		if s.elem != nil && slices.Contains(s.kinds, kArray) {
			visit(s.elem, at+"[]")
		} else if s.elem != nil {
			visit(s.elem, at+".*")
		}
	}
	visit(manifestShape(), "")
	for path := range left {
		t.Errorf("%s is explained, but there is no such key", path)
	}
}

func TestSchemaOfAnUnknownVersion(t *testing.T) {
	t.Parallel()
	if _, err := JSONSchema("0.5", false); problem.CodeOf(err) != problem.Usage {
		t.Errorf("%v", err)
	}
}

// TestFormatsOfTheSchema: what we take for an address, the schema does; it takes more only where a pattern cannot see
// what is wrong, and less only for line breaks and tabs inside.
func TestFormatsOfTheSchema(t *testing.T) {
	t.Parallel()
	def := func(name string) *jsonschema.Resolved {
		s := jsonschema.Schema{Ref: "#/$defs/" + name, Defs: map[string]*jsonschema.Schema{}}
		defs, err := json.Marshal(formatDefs())
		if err != nil || json.Unmarshal(defs, &s.Defs) != nil {
			t.Fatal(err)
		}
		resolved, err := s.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		return resolved
	}
	url, email := def("url"), def("email")
	more, fewer, both := 0, 0, 0
	for _, s := range addressesOfAllKinds() {
		got, want := url.Validate(s) == nil, isURL(s)
		switch {
		case got && want:
			both++
		case want:
			t.Fatalf("%q is a URL, the schema says %v", s, url.Validate(s))
		case got && !looksLikeAddress(s):
			t.Fatalf("%q is no URL, but the schema takes it", s)
		case got:
			more++
		default:
			fewer++
		}
		if got, want := email.Validate(s) == nil, isEmail(s); got != want {
			t.Fatalf("e-mail %q: %t, the schema says %t", s, want, got)
		}
	}
	t.Logf("%d URLs, %d that are none, %d that only the schema takes", both, fewer, more)
	if both < 3000 || fewer < 3000 || more > 200 {
		t.Errorf("%d, %d, %d: that says little", both, fewer, more)
	}
}

// addressesOfAllKinds puts URLs and e-mail addresses together from the pieces that matter, without what URL parsers skip.
func addressesOfAllKinds() (list []string) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(pieces []string, most int) (s string) {
		for range random.IntN(most) {
			s += pieces[random.IntN(len(pieces))]
		}
		return s
	}
	pieces := []string{"a", "b.c", "1", "0x1", "255", "256", ".", ":", ":8", ":65535", ":65536", "/", "//", "\\", "@", "?", "#", "[", "]", "[::1]", "%", "%41", "%2e", "%2F", " ", "-", "+", "|", "^", "<", "\x01", "\x7f", "é", "�", "'", "\""}
	schemes := []string{"", "http:", "https://", " HTTP://", "ftp://", "file:", "file://", "FILE:/", "foo:", "foo://", "ws://", "wss:", "a+b:", "1a:"}
	for range 15_000 {
		list = append(list, schemes[random.IntN(len(schemes))]+some(pieces, 7),
			some([]string{"a", "B", "1", ".", "@", "b.cd", "'", "-", "_", "+", "x", " ", "..", "é"}, 8))
	}
	return list
}

// looksLikeAddress tells whether the host is written like an IP address, or has an escape that is no ASCII.
func looksLikeAddress(s string) bool {
	_, rest, _ := cutScheme(s)
	host := strings.TrimLeft(rest, `/\`)
	if i := strings.IndexAny(host, `/\?#`); i >= 0 {
		host = host[:i]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if strings.HasPrefix(host, "[") || !utf8.ValidString(unescapeHost(host)) {
		return true
	}
	host, _, _ = strings.Cut(host, ":")
	return !validNumericHost(unescapeHost(host))
}

// TestSchemaIsTheSameEachTime: it is generated into docs.
func TestSchemaIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	for _, v := range append(Versions(), "") {
		a, err := JSONSchema(v, false)
		b, again := JSONSchema(v, false)
		if err != nil || again != nil || string(a) != string(b) || !json.Valid(a) || strings.Contains(string(a), `\u003`) {
			t.Errorf("%s: %v, %v", v, err, again)
		}
		if n := strings.Count(string(a), `"additionalProperties": false`); n < 10 {
			t.Errorf("%s: %d objects are closed", v, n)
		}
		if loose, _ := JSONSchema(v, true); strings.Contains(string(loose), `"additionalProperties": false`) {
			t.Errorf("%s: the loose one is closed", v)
		}
	}
}
