package devloop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func traced(secrets ...string) (*tracer, *[]Event) {
	var events []Event
	return newTracer(func(e Event) { events = append(events, e) }, Redact(secrets)), &events
}

func TestTracer(t *testing.T) {
	tr, events := traced()
	tr.app([]byte(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"Claude","version":"2"}}}`))
	tr.server([]byte(`{"result":{"capabilities":{"tools":{},"resources":{}}},"id":0,"jsonrpc":"2.0"}`))
	tr.app([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	tr.app([]byte(`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"save","arguments":{"x":1}}}`))
	tr.app([]byte(`{"jsonrpc":"2.0","id":2,"method":"resources/read","params":{"uri":"file:///x"}}`))
	tr.server([]byte(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"p":1}}`))
	tr.server([]byte(`{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no such thing"}}`))
	tr.server([]byte(`{"jsonrpc":"2.0","id":"a","result":{"isError":true,"content":[]}}`))
	tr.server([]byte(`{"jsonrpc":"2.0","id":"a","result":{}}`)) // answered already
	tr.server([]byte(`console.log of an author`))
	var got []string
	for _, e := range *events {
		got = append(got, strings.Join([]string{string(e.Event), e.From, e.Method, e.Tool, e.Arguments, e.Result, e.Error, e.Text}, "|"))
	}
	want := []string{
		"app|||||||Claude 2",
		`call||initialize||{"clientInfo":{"name":"Claude","version":"2"}}|{"capabilities":{"tools":{},"resources":{}}}||`,
		`notified|server|notifications/progress||{"p":1}|||`,
		"call||resources/read|file:///x|||no such thing|",
		`call||tools/call|save|{"x":1}||{"isError":true,"content":[]}|`,
		"note|||||||the server wrote to its standard output what is no MCP message: console.log of an author",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Secrets do not come through, whole or in part, wherever they stand, raw or in JSON's form; not even where a text is cut.
func TestSecretsAreNotShown(t *testing.T) {
	secret := "p\"a\\ss\nwörd-1234"
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	inner := string(quoted[1 : len(quoted)-1])
	for pad := maxShown - 3*len(inner); pad < maxShown+10; pad++ {
		tr, events := traced("", secret)
		tr.app([]byte(fmt.Sprintf(`{"id":1,"method":"tools/call","params":{"name":"t","arguments":{"a":"%s%s"}}}`, strings.Repeat("x", pad), inner)))
		tr.app([]byte(fmt.Sprintf(`{"method":"notifications/x","params":{"a":%s}}`, quoted)))
		tr.server([]byte(fmt.Sprintf(`{"id":1,"error":{"message":%s}}`, quoted)))
		if len(*events) != 2 {
			t.Fatalf("%d events", len(*events))
		}
		for _, e := range *events {
			text, err := json.Marshal(e)
			if err != nil || strings.Contains(string(text), "1234") || strings.Contains(string(text), `ss\n`) || strings.Contains(e.Arguments, "ss\\n") {
				t.Fatalf("pad %d: %s, %v", pad, text, err)
			}
		}
	}
	if got := Redact(nil)("as it is"); got != "as it is" {
		t.Errorf("without secrets: %q", got)
	}
}

// However a program writes a secret into JSON or an address, it is recognised.
func TestSecretsInEveryForm(t *testing.T) {
	if got := quote(`"x"`); got != `\"x\"` {
		t.Errorf("quoted: %s", got)
	}
	secret := `a"b&c<d>\ö😀/ +%`
	redact := Redact([]string{"a", secret, "12345"}) // one begins like another
	for _, text := range []string{
		secret,
		`{"x": "a\"b&c<d>\\ö😀/ +%"}`, // JavaScript
		`{"x": "a\"b\u0026c\u003cd\u003e\\ö😀/ +%"}`,          // Go
		`{"x": "a\"b&c<d>\\\u00f6\ud83d\ude00/ +%"}`,         // Python
		`{"x": "\u0061\u0022b\u0026c<d>\u005C\u00F6😀\/ +%"}`, // anybody
		`{"x": "{\"inner\": \"a\\\"b&c<d>\\\\ö😀/ +%\"}"}`,    // JSON in JSON
		`?q=a%22b%26c%3Cd%3E%5C%C3%B6%F0%9F%98%80%2F+%2B%25`,
		`{"n": 12345}`,
	} {
		got := redactJSON([]byte(text), redact)
		if strings.Contains(got, "b") || strings.Contains(got, "c") || strings.Contains(got, "12345") || !strings.Contains(got, "***") {
			t.Errorf("%s became %s", text, got)
		}
	}
	for _, text := range []string{"", `"`, `"\`, `{"x": "`, `{"y": "z\"`, "no json"} {
		if got := redactJSON([]byte(text), redact); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestTracerIsBounded(t *testing.T) {
	tr, events := traced()
	for i := range maxPending + 100 {
		tr.app([]byte(fmt.Sprintf(`{"id":%d,"method":"x","params":"%s"}`, i, strings.Repeat("y", maxShown*2))))
	}
	if len(tr.pending) != maxPending {
		t.Errorf("%d requests wait", len(tr.pending))
	}
	tr.server([]byte(`{"id":0,"result":"` + strings.Repeat("é", maxShown) + `"}`))
	if e := (*events)[0]; len(e.Result) > maxShown+10 || len(e.Arguments) > maxShown+10 || !strings.HasSuffix(e.Result, "…") {
		t.Errorf("%d and %d bytes are shown", len(e.Result), len(e.Arguments))
	}
	if news := tr.handOver(nil); strings.Count(string(news), `"error"`) != maxPending-1 || len(tr.pending) != 0 {
		t.Errorf("%d answers for abandoned requests", strings.Count(string(news), `"error"`))
	}
}

// Whatever the two sides write, the tracer gives valid JSON to the app and shows no secret.
func FuzzTracer(f *testing.F) {
	f.Add([]byte(`{"id":1,"method":"initialize"}`), []byte(`{"id":1,"result":{"capabilities":{"tools":{}}}}`))
	f.Add([]byte(`{"id":{"a":[1]},"method":"tools/call","params":{"name":"s3cret"}}`), []byte(`[]`))
	f.Add([]byte("\xff"), []byte(`{"id":null,"error":{"message":"s3cret"}}`))
	f.Fuzz(func(t *testing.T, app, server []byte) {
		tr, events := traced("s3cret")
		tr.app(app)
		tr.app([]byte(`{"method":"notifications/initialized"}`))
		tr.server(server)
		for line := range strings.Lines(string(tr.handOver(server))) {
			if line = strings.TrimSpace(line); line != strings.TrimSpace(string(server)) && !json.Valid([]byte(line)) && !strings.Contains(string(server), line) {
				t.Errorf("the app is told %q", line)
			}
		}
		for _, e := range *events {
			if text, err := json.Marshal(e); err != nil || strings.Contains(string(text), "s3cret") {
				t.Errorf("%s, %v", text, err)
			}
		}
	})
}
