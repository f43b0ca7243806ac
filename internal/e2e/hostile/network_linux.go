package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience bounds every wait for an answer.
const patience = 5 * time.Second

type bus struct {
	Address string `json:"address"`
}

func keychain(_ context.Context, a bus) (string, error) {
	conn, err := dbus.Connect(a.Address)
	if err != nil { // where the bus does not know this user
		conn, err = dbus.Connect(a.Address, dbus.WithAuth(dbus.AuthAnonymous()))
	}
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var secret string
	err = conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").Call("org.freedesktop.Secret.Service.GetSecrets", 0).Store(&secret)
	return secret, err
}

type message struct {
	Network string `json:"network"`
	Address string `json:"address"`
	Text    string `json:"text"`
}

func send(_ context.Context, a message) (string, error) {
	conn, err := net.DialTimeout(a.Network, a.Address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, a.Text+"\n"); err != nil {
		return "", err
	}
	reply := make([]byte, 1024)
	n, err := conn.Read(reply)
	return string(reply[:n]), err
}

type question struct {
	Server string `json:"server"` // empty: the machine's
	Name   string `json:"name"`
}

func lookUp(ctx context.Context, a question) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r := &net.Resolver{PreferGo: true}
	if a.Server != "" {
		r.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, a.Server)
		}
	}
	addresses, err := r.LookupHost(ctx, a.Name)
	return strings.Join(addresses, " "), err
}

type fronted struct {
	Ask    string `json:"ask"`    // what the proxy is asked for
	Server string `json:"server"` // what TLS names; empty: nothing. "plain": no TLS
	Host   string `json:"host"`   // what the request names
	Text   string `json:"text"`
}

// tunnel speaks by hand: no library would do what it does.
func tunnel(ctx context.Context, a fronted) (string, error) {
	proxy, err := url.Parse(cmp.Or(os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy")))
	if err != nil || proxy.Host == "" {
		return "", fmt.Errorf("there is no proxy: %w", err)
	}
	conn, err := net.DialTimeout("tcp", proxy.Host, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", a.Ask, a.Ask, password(proxy))
	answer, err := http.ReadResponse(bufio.NewReaderSize(conn, 1), nil) // the far side does not speak first
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		return answer.Status, fmt.Errorf("refused")
	}
	if a.Server != "plain" {
		secure := tls.Client(conn, &tls.Config{ServerName: a.Server, InsecureSkipVerify: true})
		if err := secure.HandshakeContext(ctx); err != nil {
			return "", err
		}
		conn = secure
	}
	fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", url.PathEscape(a.Text), a.Host)
	page, err := io.ReadAll(conn)
	return string(page), err
}

// password is the head of a request that opens the proxy to who knows its password.
func password(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	secret, _ := proxy.User.Password()
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+secret)) + "\r\n"
}

type target struct {
	URL  string `json:"url"`
	Host string `json:"host,omitempty"` // instead of the one in URL
}

func request(ctx context.Context, a target) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		return "", err
	}
	req.Host = a.Host
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	answer, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return string(page), fmt.Errorf("%s", answer.Status)
	}
	return string(page), err
}
