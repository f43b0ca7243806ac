package egress

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"satchel/internal/problem"
)

// readAnswer reads the head of an answer. Its size is bounded; the body is read through the link.
func readAnswer(far *link, method string) (*http.Response, error) {
	far.budget = maxAnswer
	resp, err := http.ReadResponse(far.r, &http.Request{Method: method})
	far.budget = math.MaxInt64
	if err != nil {
		return nil, fmt.Errorf("no answer: %w", err)
	}
	return resp, nil
}

// answerHead gives the head of an answer as it goes to the client, without what concerns only the connection to us. Go
// forgets what a Connection field names beside "close"; such a field would be passed on, which harms nobody.
func answerHead(resp *http.Response, extra string) []byte {
	dropped := map[string]bool{}
	for _, line := range resp.Header["Connection"] {
		for o := range strings.SplitSeq(line, ",") {
			dropped[strings.ToLower(strings.TrimSpace(o))] = true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\n%s", cleanStatus(resp), extra)
	kept := http.Header{}
	for name, values := range resp.Header {
		if lower := strings.ToLower(name); lower == "content-length" || !hopByHop(lower) && !dropped[lower] {
			kept[name] = values
		}
	}
	kept.Write(&b) // it writes nothing that could end a line
	b.WriteString("\r\n")
	return []byte(b.String())
}

// cleanStatus gives code and reason without what a client could take for the end of the line.
func cleanStatus(resp *http.Response) string {
	_, reason, _ := strings.Cut(resp.Status, " ")
	return fmt.Sprintf("%03d %s", resp.StatusCode, strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, reason))
}

// An answerer writes one answer to the client.
type answerer struct {
	near *link
	far  *link
	idle time.Duration
}

// write writes an answer with its body; again tells whether the client can send another request after it.
func (a answerer) write(h *head, resp *http.Response) (again bool, err error) {
	again = h.again()
	hasBody := h.method != http.MethodHead && resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusNotModified
	chunked := hasBody && resp.ContentLength < 0
	extra := ""
	switch {
	case chunked && h.minor == 1:
		extra = "Transfer-Encoding: chunked\r\n"
	case chunked:
		again, chunked = false, false
	}
	if !again {
		extra += "Connection: close\r\n"
	}
	w := bufio.NewWriterSize(a.near, 4<<10)
	w.Write(answerHead(resp, extra))
	if !hasBody {
		return again, a.flush(w)
	}
	if !chunked {
		return again, a.copy(w, w, resp.Body)
	}
	cw := httputil.NewChunkedWriter(w)
	if err := a.copy(w, cw, resp.Body); err != nil {
		return false, err
	}
	cw.Close()
	w.WriteString("\r\n")
	return again, a.flush(w)
}

// copy writes what comes as soon as it comes: an answer can be a stream of events.
func (a answerer) copy(w *bufio.Writer, to io.Writer, body io.Reader) error {
	buf := make([]byte, copyBuffer)
	for {
		if err := a.flush(w); err != nil {
			return err
		}
		a.far.SetReadDeadline(time.Now().Add(a.idle))
		n, err := body.Read(buf)
		if n > 0 {
			a.near.SetWriteDeadline(time.Now().Add(a.idle))
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return a.flush(w)
		}
		if err != nil {
			return err
		}
	}
}

func (a answerer) flush(w *bufio.Writer) error {
	a.near.SetWriteDeadline(time.Now().Add(a.idle))
	return w.Flush()
}

// refusal is the whole answer to a request that was refused: a text for the person who looks for the reason. Many
// clients show nothing but the reason of the status line, so the rule stands there too.
func refusal(p *problem.Problem, status int) []byte {
	text := fmt.Sprintf("satchel: %s\nrule: %s (%s)\n", p.Error(), p.Rule, p.Source)
	if p.Hint != "" {
		text += "to change it: " + p.Hint + "\n"
	}
	ask := ""
	if status == http.StatusProxyAuthRequired {
		ask = "Proxy-Authenticate: Basic realm=\"satchel\"\r\n"
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d Refused by Satchel (%s)\r\n%sContent-Type: text/plain; charset=utf-8\r\n"+
		"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, p.Rule, ask, len(text), text)
}
