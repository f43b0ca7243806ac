package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// EntryFile gives the entry point as a path in the bundle, slash-separated and clean, whichever way the manifest writes
// it: "./x.js" and "${__dirname}/x.js" are x.js. It is "" when there is no entry point, or none inside the bundle.
func (m *Manifest) EntryFile() string {
	name, _ := localPath(m.Server.EntryPoint)
	return name
}

// localPath gives a path of the manifest as a path inside the bundle, or why it is none.
func localPath(p string) (name, why string) {
	p = strings.TrimPrefix(p, "${__dirname}/")
	switch {
	case p == "":
		return "", "is empty"
	case strings.Contains(p, `\`):
		return "", "has a backslash; folders are separated by / on every system"
	case strings.HasPrefix(p, "/"), len(p) > 1 && p[1] == ':' && isLetter(rune(p[0])):
		return "", "is absolute; it must be relative to the bundle"
	}
	switch p = path.Clean(p); {
	case p == ".":
		return "", "is the folder itself, not a file"
	case !fs.ValidPath(p) || strings.ContainsRune(p, 0):
		return "", "leads out of the bundle"
	}
	return p, ""
}

// openFile opens a regular file, and waits for no pipe; what is no file is fs.ErrNotExist.
func openFile(files fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	return files.Open(name)
}

// whyNot says why the bundle has no such file that can be read; "" when it has.
func whyNot(files fs.FS, name string) string {
	info, err := fs.Stat(files, name)
	switch {
	case err != nil:
		return whyMissing(files, name, err)
	case info.IsDir():
		return "is a folder"
	case !info.Mode().IsRegular():
		return "is no file"
	}
	return ""
}

const notThere = "is not there"

// whyMissing explains an error of opening a file. A file system that leaves files out says why by a method of its errors.
func whyMissing(files fs.FS, name string, err error) string {
	type leaving interface {
		error
		LeftOut() string
	}
	if out, ok := errors.AsType[leaving](err); ok {
		return "is left out of the bundle: " + out.LeftOut()
	}
	to, notLink := fs.ReadLink(files, name)
	switch {
	case notLink == nil && errors.Is(err, fs.ErrNotExist):
		return "is a link to " + to + ", which is not there"
	case notLink == nil:
		return "is a link to " + to + "; only relative links that stay in the folder are followed"
	case errors.Is(err, fs.ErrNotExist):
		return notThere
	}
	return "cannot be read: " + err.Error()
}

// entryPoint: the reference never looks whether the server is in the bundle.
func (c *meaning) entryPoint() {
	server := c.root.get("server")
	n, p := server.get("entry_point"), top("server").key("entry_point")
	if n == nil || n.kind != kString {
		return
	}
	if n.str == "" && !c.runsBundle(server) {
		c.at("manifest/entry-point", Warning, p, n, "", "is empty: the server is fetched when it starts, nobody can review it before")
		return
	}
	name, why := localPath(n.str)
	fix := `name the server's file, such as "server/index.js"`
	if why == "" && c.files != nil {
		if why = whyNot(c.files, name); why == notThere {
			fix = "build or install the server first; if it is another file, name that"
		}
	}
	if why != "" {
		c.at("manifest/entry-point", Error, p, n, fix, fmt.Sprintf("%s %s", quote(n.str), why))
	}
}

// runsBundle tells whether the command uses a file of the bundle, unlike npx or uvx with the name of a package.
func (c *meaning) runsBundle(server *node) (uses bool) {
	if typ, _ := server.text("type"); typ == UV {
		return true
	}
	c.texts(server.get("mcp_config"), nil, func(_ *place, n *node) {
		uses = uses || strings.Contains(n.str, "${__dirname}")
	})
	return uses
}

func (c *meaning) pictures() {
	if n := c.root.get("icon"); n != nil && n.kind == kString && n.str != "" {
		c.picture(n, top("icon"), Error)
	}
	if icons := c.root.get("icons"); icons != nil {
		for i, icon := range icons.items {
			p := top("icons").index(i)
			if src := icon.get("src"); src != nil && src.kind == kString {
				c.picture(src, p.key("src"), Warning)
			}
			if size, _ := icon.text("size"); sizeFormat().ok(size) && hasNoArea(size) {
				c.at("manifest/icon", Error, p.key("size"), icon.get("size"), `write it like "16x16"`, "is no size that a picture can have")
			}
		}
	}
	if shots := c.root.get("screenshots"); shots != nil {
		for i, n := range shots.items {
			if n.kind == kString {
				c.picture(n, top("screenshots").index(i), Hint)
			}
		}
	}
}

func hasNoArea(size string) bool {
	w, h, _ := strings.Cut(size, "x")
	return strings.Trim(w, "0") == "" || strings.Trim(h, "0") == ""
}

// picture checks that a picture is a file of the bundle, and that it is a PNG: notPNG is how bad it is if not, where a
// hint says nothing. One on the web cannot be checked.
func (c *meaning) picture(n *node, p *place, notPNG Severity) {
	if strings.HasPrefix(n.str, "http://") || strings.HasPrefix(n.str, "https://") {
		if notPNG != Hint {
			c.at("manifest/icon", Warning, p, n, "put the picture into the bundle", "is on the web: hosts may not show it")
		}
		return
	}
	name, why := localPath(n.str)
	switch {
	case strings.HasPrefix(n.str, "${"):
		c.at("manifest/icon", Error, p, n, `write a plain path, such as "icon.png"`, "has a variable, which hosts do not expand here")
	case why != "":
		c.at("manifest/icon", Error, p, n, "name a picture in the bundle", quote(n.str)+" "+why)
	case c.files != nil:
		c.pictureFile(name, n, p, notPNG)
	}
}

func (c *meaning) pictureFile(name string, n *node, p *place, notPNG Severity) {
	if why := whyNot(c.files, name); why != "" {
		c.at("manifest/icon", Error, p, n, "name a picture in the bundle", quote(n.str)+" "+why)
		return
	}
	f, err := c.files.Open(name)
	if err != nil {
		c.at("manifest/icon", Error, p, n, "look at its permissions", quote(n.str)+" cannot be read")
		return
	}
	defer f.Close()
	head := make([]byte, 8)
	if _, err := io.ReadFull(f, head); (err != nil || string(head) != "\x89PNG\r\n\x1a\n") && notPNG != Hint {
		c.at("manifest/icon", notPNG, p, n, "convert it to PNG", quote(n.str)+" is no PNG")
	}
}

// locale: the texts of the default locale stand in the manifest, so its resource may be missing; but it is the only one
// whose name is known, and a misspelt path is found by it.
func (c *meaning) locale() {
	l, p := c.root.get("localization"), top("localization")
	resources, ok := l.text("resources")
	if !ok || !localePathFormat().ok(resources) {
		return
	}
	fallback, _ := l.text("default_locale")
	if !isLocale(fallback) {
		return
	}
	name, why := resourcePath(resources, fallback)
	if why != "" {
		c.at("manifest/locale", Error, p.key("resources"), l.get("resources"), `write it like "mcpb-resources/${locale}.json"`, quote(resources)+" "+why)
		return
	}
	if c.files == nil {
		return
	}
	if why := whyNot(c.files, name); why != "" {
		severity := Error
		if _, err := fs.Stat(c.files, name); errors.Is(err, fs.ErrNotExist) {
			severity = Warning
		}
		c.at("manifest/locale", severity, p.key("resources"), l.get("resources"), "is the path right?", quote(name)+" "+why)
		return
	}
	if _, err := readTexts(c.files, name); err != nil {
		c.at("manifest/locale", Error, p.key("resources"), l.get("resources"), "", quote(name)+" cannot be read: "+err.Error())
	}
}
