package devloop

import (
	"encoding/json"
	"strings"
	"sync"
	"time"
)

const (
	maxTraced  = 1 << 20 // bytes of a message that is looked into
	maxShown   = 2000    // bytes of arguments and results that are shown
	maxPending = 4096    // requests that wait for their answers
)

// An envelope is what matters of a JSON-RPC message.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// A request waits for its answer.
type request struct {
	id     json.RawMessage
	method string
	tool   string
	args   string
	begin  time.Time
}

// A tracer follows the messages between an app and a server, makes events of them, and remembers what a new server must
// be told: how the app introduced itself. It is safe for concurrent use.
type tracer struct {
	emit   func(Event)
	redact func(string) string

	mu          sync.Mutex
	pending     map[string]request
	hello       []byte          // the app's initialize
	helloID     json.RawMessage // its id
	initialized []byte          // the app's notifications/initialized
	lists       []string        // what the server offers lists of: tools, prompts, resources
}

func newTracer(emit func(Event), redact func(string) string) *tracer {
	return &tracer{redact: redact, pending: map[string]request{}, emit: func(e Event) {
		e.Method, e.Tool, e.Text = brief(redact(e.Method)), brief(redact(e.Tool)), brief(redact(e.Text))
		emit(e)
	}}
}

// app looks at a message of the app.
func (t *tracer) app(line []byte) {
	var m envelope
	if json.Unmarshal(line, &m) != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case m.Method != "" && len(m.ID) > 0:
		if m.Method == "initialize" {
			t.hello, t.helloID = append([]byte{}, line...), m.ID
			t.emit(Event{Event: AppJoined, Text: appName(m.Params)})
		}
		if len(t.pending) < maxPending {
			tool, args := subject(m.Params)
			t.pending[string(m.ID)] = request{m.ID, m.Method, tool, t.shown(args), time.Now()}
		}
	case m.Method == "notifications/initialized":
		t.initialized = append([]byte{}, line...)
	case m.Method != "":
		t.emit(Event{Event: Notified, From: "app", Method: m.Method, Arguments: t.shown(m.Params)})
	}
}

func appName(params json.RawMessage) string {
	var p struct {
		ClientInfo struct{ Name, Version string }
	}
	_ = json.Unmarshal(params, &p) // an app without a name has none
	return strings.TrimSpace(p.ClientInfo.Name + " " + p.ClientInfo.Version)
}

// subject gives what a request is about, and with what.
func subject(params json.RawMessage) (name string, args json.RawMessage) {
	var p struct {
		Name, URI string
		Arguments json.RawMessage
	}
	if json.Unmarshal(params, &p) != nil || p.Name == "" && p.URI == "" {
		return "", params
	}
	if p.Name == "" {
		p.Name = p.URI
	}
	return p.Name, p.Arguments
}

// shown makes a text that may be shown of JSON or what pretends to be.
func (t *tracer) shown(raw json.RawMessage) string { return brief(redactJSON(raw, t.redact)) }

// brief cuts a text in which no secret is left: a cut through one would leave half of it.
func brief(text string) string {
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

// server looks at a message of the server.
func (t *tracer) server(line []byte) {
	var m envelope
	if json.Unmarshal(line, &m) != nil {
		if len(line) > 0 {
			t.emit(Event{Event: Note, Text: "the server wrote to its standard output what is no MCP message: " + t.shown(line)})
		}
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Method != "" {
		t.emit(Event{Event: Notified, From: "server", Method: m.Method, Arguments: t.shown(m.Params)})
		return
	}
	r, asked := t.pending[string(m.ID)]
	if !asked {
		return
	}
	delete(t.pending, string(m.ID))
	if r.method == "initialize" {
		t.lists = offered(m.Result)
	}
	e := Event{Event: Call, Method: r.method, Tool: r.tool, Arguments: r.args, Result: t.shown(m.Result), MS: ms(time.Since(r.begin))}
	if e.Error = t.shown(failure(m)); e.Error != "" {
		e.Result = ""
	}
	t.emit(e)
}

// failure gives what a call failed with: an error of the protocol, or a result that says so.
func failure(m envelope) json.RawMessage {
	if m.Error != nil {
		return json.RawMessage(m.Error.Message)
	}
	var result struct{ IsError bool }
	if json.Unmarshal(m.Result, &result) == nil && result.IsError {
		return m.Result
	}
	return nil
}

// offered are the lists that an answer to initialize promises.
func offered(result json.RawMessage) (lists []string) {
	var r struct{ Capabilities map[string]json.RawMessage }
	_ = json.Unmarshal(result, &r) // what says nothing offers nothing
	for _, name := range []string{"tools", "prompts", "resources"} {
		if _, ok := r.Capabilities[name]; ok {
			lists = append(lists, name)
		}
	}
	return lists
}

// introduction gives the messages with which a new server is greeted; nil when the app has not introduced itself yet.
func (t *tracer) introduction() (hello, id, initialized []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hello, t.helloID, t.initialized
}

// handOver gives what the app is to be told when a new server takes over, which has answered the introduction so: that
// answer when the app still waits for it, answers for the other requests, whose server is gone, and that lists changed.
func (t *tracer) handOver(answer []byte) (news []byte) {
	if answer != nil && t.waits() {
		t.server(answer)
		news = append(append(news, answer...), '\n')
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, r := range t.pending {
		delete(t.pending, key)
		text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": r.id, "error": map[string]any{
			"code": -32000, "message": "satchel dev has started the server anew before it answered",
		}})
		if err == nil { // ids came from JSON
			news = append(append(news, text...), '\n')
		}
	}
	if answer != nil {
		t.lists = offered(resultOf(answer))
	}
	if t.initialized == nil {
		return news
	}
	for _, list := range t.lists {
		news = append(news, `{"jsonrpc":"2.0","method":"notifications/`+list+"/list_changed\"}\n"...)
	}
	return news
}

// waits tells whether the app still waits for the answer to its introduction.
func (t *tracer) waits() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, waits := t.pending[string(t.helloID)]
	return waits && t.hello != nil
}

func resultOf(answer []byte) json.RawMessage {
	var m envelope
	_ = json.Unmarshal(answer, &m) // it was one when it was chosen
	return m.Result
}
