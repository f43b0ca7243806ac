package sandbox

import (
	_ "embed" // the text of nodeProxy
	"errors"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// nodeProxy is loaded by every Node.js of a world with network.
//
//go:embed node-proxy.cjs
var nodeProxy string

const nodeProxyName = "node-proxy.cjs"

// What every world has for its user.
const (
	homeInside = "/home/user"
	tempInside = "/tmp"
)

// broughtInside is the folder for what the sandbox brings, in a world.
const broughtInside = "/.satchel"

// A way is where a server finds what describes its world, and the proxies.
type way struct {
	home, temp  string
	system      []string // in place of both and of what else Unix has: what describes the world of another system
	http, socks string   // host:port; empty without network
	password    string   // of both proxies; empty: none
	brought     string   // the folder with the files that the sandbox brings
}

// url is an address of a proxy as a variable has it.
func (w way) url(scheme, host string) string {
	u := url.URL{Scheme: scheme, Host: host}
	if w.password != "" {
		u.User = url.UserPassword(nameInside, w.password)
	}
	return u.String()
}

// wayOf is where a server finds its home, its temporary folder and the proxies of an entrance.
func wayOf(m Mode, c Command, e entrance) way {
	w := way{home: homeInside, temp: tempInside, brought: broughtInside, http: e.http, socks: e.socks, password: e.password}
	if !m.world() {
		w.home, w.temp, w.brought = c.Dir, filepath.Join(c.Dir, ownTemp), filepath.Join(c.Dir, ownBrought)
	}
	return w
}

// nameInside is the name that a server's user has in its world, and at proxies with a password.
const nameInside = "user"

// environment completes what the manifest sets and what is passed through, and gives the files that it names: what
// describes a server's world is the sandbox's to say. What is set already counts; a proxy that is set so is not ours, and
// leads nowhere.
func (c Command) environment(w way) (env []string, files []brought) {
	defaults := w.system
	if defaults == nil {
		defaults = []string{"HOME=" + w.home, "TMPDIR=" + w.temp, "PATH=" + c.path(), "USER=" + nameInside, "LOGNAME=" + nameInside}
	}
	if w.http == "" {
		return withDefaults(c.Env, defaults), nil
	}
	proxy := w.url("http", w.http)
	// ALL_PROXY is the HTTP proxy too: a Python library that reads the variables fails on SOCKS before its first request.
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		defaults = append(defaults, name+"="+proxy, strings.ToLower(name)+"="+proxy)
	}
	const here = "localhost,127.0.0.1,::1"
	defaults = append(defaults, "NO_PROXY="+here, "no_proxy="+here, "NODE_USE_ENV_PROXY=1", "SATCHEL_SOCKS_PROXY="+w.url("socks5h", w.socks), "NODE_OPTIONS=")
	env, files = authorities(withDefaults(c.Env, defaults), w.brought)
	for i, e := range env {
		if options, ok := strings.CutPrefix(e, "NODE_OPTIONS="); ok {
			env[i] = "NODE_OPTIONS=" + strings.TrimLeft(options+" --require="+quotedForNode(filepath.Join(w.brought, nodeProxyName)), " ")
		}
	}
	return env, append(files, brought{nodeProxyName, nodeProxy})
}

// quotedForNode writes a path as one word of NODE_OPTIONS.
func quotedForNode(name string) string {
	if !strings.ContainsAny(name, ` \"`) {
		return name
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// withDefaults adds the variables that are not set. A proxy that is set in one case is set in the other too: programs
// differ in which of the two they read.
func withDefaults(env, defaults []string) []string {
	out := slices.Clone(env)
	for _, d := range defaults {
		if !slices.ContainsFunc(env, func(e string) bool { return variable(e) == variable(d) }) {
			out = append(out, d)
		}
	}
	return out
}

func variable(e string) string {
	name, _, _ := strings.Cut(e, "=")
	if strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
		return strings.ToUpper(name)
	}
	return name
}

// path finds the server's own program, those that were granted, and the machine's, in this order.
func (c Command) path() string {
	var dirs []string
	for _, name := range append([]string{c.Path}, c.Sandbox.Programs.Paths...) {
		if dir := path.Dir(name); path.IsAbs(dir) && !strings.Contains(dir, ":") && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for dir := range strings.SplitSeq(pathInside, ":") {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, ":")
}

// Where a server without a world has its temporary folder, in its own, and in that what the sandbox brings.
const (
	ownTemp    = ".tmp"
	ownBrought = ownTemp + "/satchel"
)

// bringTo writes files into a server's own folder. It is the server's: no link in it may lead us out, and nothing in it
// may stop us.
func bringTo(dir string, files []brought) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := errors.Join(root.MkdirAll(ownTemp, 0o700), root.RemoveAll(ownBrought)); err != nil {
		return err
	}
	for _, file := range files {
		name := path.Join(ownBrought, file.name)
		if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
			return err
		}
		f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(file.text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
