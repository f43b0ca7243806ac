package grant

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"satchel/mcpb/manifest"
)

// declared makes wishes of the templates. What the author wrote wrongly is an error; what an answer makes of it is a
// note, as the person can mend that.
func (a *asker) declared(templates []template) error {
	for _, t := range templates {
		values, key, why := a.values(t)
		if why != "" {
			a.note(t.String(), why)
		}
		for _, v := range values {
			i, err := a.fill(t, v)
			switch {
			case err == nil:
				a.wish(i, FromDeclared, a.named(t, i, v, key))
			case t.variable == "" && !t.isPath():
				return wrong(t.at, "%s", reason(err))
			default:
				a.note(t.String(), reason(err))
			}
		}
		if len(a.out.Wishes) > mostItems {
			return tooMany()
		}
	}
	return nil
}

// values gives what stands for the template's variable; key is that of an answer by the person, empty for a default.
func (a *asker) values(t template) (values []string, key, why string) {
	if t.variable == "" {
		return []string{""}, "", ""
	}
	if dir, known := a.m.folder(t.variable); known {
		if dir == "" {
			return nil, "", "this machine has no such folder"
		}
		return []string{dir}, "", ""
	}
	key = strings.TrimPrefix(t.variable, "user_config.")
	if values = texts(a.answers[key]); len(values) > 0 {
		return values, key, ""
	}
	o, _ := a.options.Get(key) // the reader saw to it
	if values = a.defaults(o); len(values) > 0 {
		return values, "", ""
	}
	return nil, "", "is not answered yet"
}

// defaults are the author's texts, with the folders of the machine in them.
func (a *asker) defaults(o manifest.Option) []string {
	list := texts(o.Default)
	for n, v := range list {
		for _, name := range []string{"HOME", "DESKTOP", "DOCUMENTS", "DOWNLOADS"} {
			if dir, _ := a.m.folder(name); dir != "" {
				v = strings.ReplaceAll(v, "${"+name+"}", dir)
			}
		}
		sep := "/"
		if a.m.OS == "windows" {
			sep = `\`
		}
		list[n] = strings.NewReplacer("${/}", sep, "${pathSeparator}", sep).Replace(v)
	}
	return list
}

// fill puts a value into a template.
func (a *asker) fill(t template, v string) (Item, error) {
	o, _ := a.options.Get(strings.TrimPrefix(t.variable, "user_config."))
	isURL := t.kind == KindNet && t.pre == "" && t.post == "" && strings.Contains(v, "://")
	switch {
	case t.variable == "":
		return Parse(t.String(), a.m)
	case isURL:
		return itemOfURL(v)
	case o.Sensitive:
		return Item{}, badWord("", errors.New("a secret that is no address says nothing about permissions"))
	case v == anything, t.kind == KindNet && strings.Contains(v, ":") && (t.post != "" || strings.HasPrefix(v, "tcp:")):
		return Item{}, badWord(v, errors.New("is no host's name"))
	case t.pre == "" && (t.kind == KindRead || t.kind == KindWrite):
		if _, err := a.m.clean(v); err != nil { // no ~ either: that is for a person's words
			return Item{}, badWord(v, err)
		}
	}
	return Parse(string(t.kind)+":"+t.pre+v+t.post, a.m)
}

// named gives the key of the answer when the person named what an item grants: a path inside the one that was answered,
// a host whose whole name was. Else the item is the author's, whatever variable it holds.
func (a *asker) named(t template, i Item, v, key string) string {
	o, _ := a.options.Get(key)
	if key == "" || a.accepted(o, v) {
		return ""
	}
	switch t.kind {
	case KindRead, KindWrite:
		if clean, err := a.m.clean(v); err == nil && t.pre == "" && inside(i.value, clean) {
			return key
		}
	case KindNet:
		port, err := strconv.Atoi(strings.TrimPrefix(t.post, ":"))
		if (t.pre == "" || t.pre == "tcp:") && (t.post == "" || err == nil && port > 0) {
			return key
		}
	default:
		if t.pre == "" && t.post == "" {
			return key
		}
	}
	return ""
}

// derived makes wishes of the answers alone: paths to read, and hosts of addresses.
func (a *asker) derived() {
	for _, o := range a.options {
		for _, v := range texts(a.answers[o.Key]) {
			if len(a.out.Wishes) > mostItems {
				return
			}
			switch i, err := a.itemOf(o, v); {
			case err != nil:
				a.note(o.Key, reason(err))
			case i.kind == "":
			case a.accepted(o, v):
				a.wish(i, FromManifest, "")
			default:
				a.wish(i, FromAnswer, o.Key)
				a.writable(i, o.Key)
			}
		}
	}
}

// writable suggests to let it write as well to what a person named.
func (a *asker) writable(i Item, key string) {
	if w := (Item{KindWrite, i.value}); i.kind == KindRead && !slices.ContainsFunc(a.out.Suggested, func(s Wish) bool { return s.Item == w }) {
		a.out.Suggested = append(a.out.Suggested, Wish{Item: w, From: FromAnswer, Key: key, Text: Plain(w)})
	}
}

// accepted tells whether an answer is the author's default: it is the author's text then, which the person let stand.
func (a *asker) accepted(o manifest.Option, v string) bool { return slices.Contains(a.defaults(o), v) }

// itemOf gives what an answer asks for; the zero item when that is nothing.
func (a *asker) itemOf(o manifest.Option, v string) (Item, error) {
	switch {
	case o.Type == manifest.Directory || o.Type == manifest.File:
		p, err := a.m.clean(v)
		if err != nil {
			return Item{}, badWord(v, err)
		}
		return Item{KindRead, a.m.real(p)}, nil
	case o.Type == manifest.String && strings.Contains(v, "://"):
		return itemOfURL(v)
	}
	return Item{}, nil
}

// schemes gives the port that an address means, and whether what is spoken there is TLS or HTTP.
func schemes(scheme string) (port string, raw, known bool) {
	switch scheme {
	case "https", "wss":
		return "443", false, true
	case "http", "ws":
		return "80", false, true
	}
	port, known = map[string]string{
		"postgres": "5432", "postgresql": "5432", "mysql": "3306", "mariadb": "3306", "redis": "6379", "rediss": "6379",
		"mongodb": "27017", "amqp": "5672", "amqps": "5671", "sqlserver": "1433", "mssql": "1433", "clickhouse": "9000", "nats": "4222",
		"bolt": "7687", "neo4j": "7687", "mqtt": "1883", "mqtts": "8883", "ssh": "22", "sftp": "22", "ftp": "21", "git": "9418",
		"ldap": "389", "ldaps": "636", "imap": "143", "imaps": "993", "smtp": "25", "smtps": "465", "tcp": "",
	}[scheme]
	return port, true, known
}

// itemOfURL gives the host of an address with its port; a port of this machine when it leads here.
func itemOfURL(text string) (Item, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return Item{}, badWord("", errors.New("no host can be read from it"))
	}
	port, raw, known := schemes(u.Scheme)
	if !known {
		return Item{}, badWord("", errors.New("no host can be read from it"))
	}
	if p := u.Port(); p != "" {
		port = p
	}
	n, err := portNumber(port)
	if err != nil {
		return Item{}, badWord("", err)
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if addr, err := netip.ParseAddr(name); name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && addr.Unmap().IsLoopback() {
		return Item{KindPort, strconv.Itoa(n)}, nil
	}
	if name, err = hostName(name); err != nil {
		return Item{}, badWord("", err)
	}
	return Item{KindNet, Host{Name: name, Port: n, Raw: raw}.word()}, nil
}

// mostSuggested bounds what the author's texts can suggest.
const mostSuggested = 20

// suggested finds what the author wrote: defaults that nobody answered, and hosts in the command and its environment.
func (a *asker) suggested(mf *manifest.Manifest) {
	have := a.out.Grant()
	suggest := func(i Item, err error) {
		if err == nil && i.kind != "" && !have.Covers(i) && len(a.out.Suggested) < mostSuggested {
			have.add(i)
			a.out.Suggested = append(a.out.Suggested, Wish{Item: i, From: FromManifest, Text: Plain(i)})
		}
	}
	for _, o := range a.options {
		if len(texts(a.answers[o.Key])) > 0 {
			continue
		}
		for _, v := range a.defaults(o) {
			suggest(a.itemOf(o, v))
		}
	}
	for _, text := range commandTexts(mf, a.m) {
		if len(a.out.Suggested) == mostSuggested {
			return
		}
		for _, address := range addressesIn(text) {
			suggest(itemOfURL(address))
		}
	}
}

// commandTexts are the arguments and the environment of the command on this system.
func commandTexts(mf *manifest.Manifest, m Machine) (list []string) {
	c := mf.Server.MCPConfig
	if c == nil {
		return nil
	}
	commands := []manifest.Command{c.Command}
	for name, o := range c.PlatformOverrides {
		system := m.OS
		if system == "windows" && strings.HasPrefix(name, "win32") {
			system = "win32"
		}
		if name == system || strings.HasPrefix(name, system+"-") {
			commands = append(commands, o)
		}
	}
	for _, c := range commands {
		list = append(list, c.Args...)
		for _, v := range c.Env {
			list = append(list, v)
		}
	}
	slices.Sort(list) // of many, the same ones each time
	return list
}

// addressesIn finds the addresses in a text: from the scheme's letters before "://" up to what no address holds.
func addressesIn(text string) (list []string) {
	const most = 64 << 10
	text = text[:min(len(text), most)]
	for len(list) < mostSuggested {
		at := strings.Index(text, "://")
		if at < 0 {
			return list
		}
		start := at
		for start > 0 && (text[start-1]|0x20) >= 'a' && (text[start-1]|0x20) <= 'z' {
			start--
		}
		end := at + len("://")
		for end < len(text) && !strings.ContainsRune(" \t\n\"'`<>,;|(){}$\\", rune(text[end])) {
			end++
		}
		list = append(list, text[start:end])
		text = text[end:]
	}
	return list
}

// texts gives the items of an answer or a default that say something, as text.
func texts(v any) (list []string) {
	switch v := v.(type) {
	case string:
		list = []string{v}
	case []string:
		list = append(list, v...)
	case []any:
		for _, item := range v {
			list = append(list, texts(item)...)
		}
	case float64:
		list = []string{strconv.FormatFloat(v, 'f', -1, 64)}
	}
	said := list[:0]
	for _, s := range list {
		if s != "" {
			said = append(said, s)
		}
	}
	return said
}
