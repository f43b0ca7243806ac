package egress

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"satchel/internal/problem"
)

// An Upstream is the corporate proxy through which this machine reaches the internet. It is not changed once it is made.
type Upstream struct {
	choose func(*url.URL) (*url.URL, error)
}

// UpstreamFrom reads the variables HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case; nil when they
// name no proxy. A proxy that cannot be used is an error (rule egress/upstream), since going around it would be worse.
// The error does not show the address: it may hold a password.
func UpstreamFrom(getenv func(string) string) (*Upstream, error) {
	either := func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return getenv(strings.ToLower(name))
	}
	c := httpproxy.Config{NoProxy: either("NO_PROXY")}
	for name, to := range map[string]*string{"HTTPS_PROXY": &c.HTTPSProxy, "HTTP_PROXY": &c.HTTPProxy} {
		v := either(name)
		if v == "" {
			name = "ALL_PROXY"
			v = either(name)
		}
		if v == "" {
			continue
		}
		u, ok := proxyURL(v)
		if !ok {
			return nil, problem.New(problem.Failed, "egress/upstream", "this variable does not name an HTTP proxy").
				At(name).From(page).Try("export %s=http://HOST:PORT", name)
		}
		*to = u
	}
	if c.HTTPSProxy == "" && c.HTTPProxy == "" {
		return nil, nil
	}
	return &Upstream{choose: c.ProxyFunc()}, nil
}

func proxyURL(s string) (string, bool) {
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	port, known := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if !known {
		return "", false
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u.String(), true
}

// forTarget gives the proxy for t, or nil. Names of the machine itself are never given to another one.
func (u *Upstream) forTarget(t target, plain bool) *url.URL {
	if u == nil || t.local() {
		return nil
	}
	to := &url.URL{Scheme: "https", Host: t.String()}
	if plain {
		to.Scheme = "http"
	}
	proxy, err := u.choose(to)
	if err != nil { // it was parsed before
		return nil
	}
	return proxy
}

func dialUpstream(ctx context.Context, proxy *url.URL) (net.Conn, error) {
	if proxy.Scheme == "https" {
		d := tls.Dialer{Config: &tls.Config{ServerName: proxy.Hostname()}}
		return d.DialContext(ctx, "tcp", proxy.Host)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", proxy.Host)
}

// openTunnel asks the proxy at the far end for a tunnel to t.
func openTunnel(ctx context.Context, far *link, proxy *url.URL, t target) error {
	stop := context.AfterFunc(ctx, func() { far.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	request := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n%s\r\n", t, credentials(proxy))
	if _, err := far.Write([]byte(request)); err != nil {
		return err
	}
	resp, err := readAnswer(far, http.MethodConnect)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the proxy %s answers %d", proxy.Host, resp.StatusCode)
	}
	if !stop() {
		return errors.New("the proxy answered too late")
	}
	return nil
}

// credentials gives the line that names us to the proxy.
func credentials(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	both := proxy.User.Username() + ":" + password
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(both)) + "\r\n"
}
