package egress

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"time"
)

var errClient = errors.New("the body of the request is not whole")

// An exchange is one request and its answer over a session's two connections.
type exchange struct {
	*session
	head  *head
	begun bool        // something of an answer has reached the client
	last  bool        // the far side takes no other request on this connection
	off   atomic.Bool // nobody wants the body of the request any more
}

// run sends the request and brings the answer back; again when both connections can be used for another one.
func (x *exchange) run(path string) (again bool, err error) {
	if err := x.sendHead(path); err != nil {
		return false, err
	}
	sent := make(chan error, 1)
	if x.head.body() {
		go func() {
			err := x.sendBody()
			if errors.Is(err, errClient) {
				x.far.Close() // no answer comes to half a request
			}
			sent <- err
		}()
	} else {
		sent <- nil
	}
	again, err = x.answer()
	if err == nil && x.sentSoon(sent) {
		if x.last {
			x.drop()
		}
		return again, nil
	}
	// The body may still be on its way, and nobody wants it any more.
	x.off.Store(true)
	x.near.SetReadDeadline(time.Unix(1, 0))
	x.far.Close()
	<-sent
	if err == nil {
		x.near.hangUp(x.p.limits.linger)
	}
	return false, err
}

func (x *exchange) sendHead(path string) error {
	uri, extra := path, ""
	if x.proxy != nil {
		uri, extra = "http://"+hostField(x.to)+strings.TrimPrefix(path, "*"), credentials(x.proxy)
	}
	x.far.SetWriteDeadline(time.Now().Add(x.p.limits.idle))
	_, err := x.far.Write(x.head.write(uri, hostField(x.to), extra))
	if err == nil && x.head.expect && x.head.body() {
		x.near.SetWriteDeadline(time.Now().Add(x.p.limits.idle))
		_, err = io.WriteString(x.near, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	return err
}

// hostField writes t as clients do: without the port that is understood.
func hostField(t target) string {
	return strings.TrimSuffix(t.String(), ":80")
}

// sendBody copies the body of the request. A chunked one is read and written anew, so that what the far side takes for
// its end is what we took for it.
func (x *exchange) sendBody() error {
	if !x.head.chunked {
		return x.copyBody(x.far, io.LimitReader(x.near, x.head.length), x.head.length)
	}
	w := httputil.NewChunkedWriter(x.far)
	if err := x.copyBody(w, httputil.NewChunkedReader(x.near.r), -1); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := x.skipTrailer(); err != nil {
		return err
	}
	_, err := io.WriteString(x.far, "\r\n")
	return err
}

func (x *exchange) copyBody(to io.Writer, from io.Reader, want int64) error {
	buf := make([]byte, copyBuffer)
	for got := int64(0); ; {
		x.near.SetReadDeadline(time.Now().Add(x.p.limits.idle))
		if x.off.Load() { // after the deadline is set: it may have replaced the one that says so
			return errClient
		}
		n, err := from.Read(buf)
		if n > 0 {
			got += int64(n)
			x.far.SetWriteDeadline(time.Now().Add(x.p.limits.idle))
			if _, err := to.Write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF && got >= want:
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errClient, err)
		}
	}
}

// skipTrailer reads up to the end of a chunked body. Fields that follow it are not passed on.
func (x *exchange) skipTrailer() error {
	for read := 0; read < clientBuffer; {
		line, err := x.near.r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", errClient, err)
		}
		if string(line) == "\r\n" {
			return nil
		}
		read += len(line)
	}
	return errClient
}

// sentSoon tells whether the request is sent in full. When the answer came first, the little that may be missing gets a
// moment.
func (x *exchange) sentSoon(sent chan error) bool {
	late := time.NewTimer(x.p.limits.linger)
	defer late.Stop()
	select {
	case err := <-sent:
		sent <- nil
		return err == nil
	case <-late.C:
		return false
	}
}

// answer brings the answer back, with what may come before it.
func (x *exchange) answer() (again bool, err error) {
	a := answerer{near: x.near, far: x.far, idle: x.p.limits.idle}
	for range 16 {
		x.far.SetReadDeadline(time.Now().Add(x.p.limits.idle))
		resp, err := readAnswer(x.far, x.head.method)
		switch {
		case err != nil:
			return false, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return false, x.switchProtocols(resp)
		case resp.StatusCode == http.StatusProxyAuthRequired && x.proxy != nil:
			return false, errors.New("the corporate proxy wants other credentials")
		case resp.StatusCode >= 200:
			x.begun, x.last = true, resp.Close
			return a.write(x.head, resp)
		case resp.StatusCode != http.StatusContinue && x.head.minor == 1:
			x.begun = true
			x.near.SetWriteDeadline(time.Now().Add(x.p.limits.idle))
			if _, err := x.near.Write(answerHead(resp, "")); err != nil {
				return false, err
			}
		}
	}
	return false, errors.New("the server gives no answer but news of its progress")
}

// switchProtocols goes on with WebSocket when that was asked for.
func (x *exchange) switchProtocols(resp *http.Response) error {
	if !x.head.webSocket() || !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket") {
		return errors.New("the server goes on with a protocol that was not asked for")
	}
	x.begun = true
	x.near.SetWriteDeadline(time.Now().Add(x.p.limits.idle))
	if _, err := x.near.Write(answerHead(resp, "Connection: Upgrade\r\nUpgrade: websocket\r\n")); err != nil {
		return err
	}
	x.p.tunnel(x.near, x.far)
	return nil
}
