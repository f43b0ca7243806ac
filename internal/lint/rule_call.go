package lint

import (
	"path"
	"strings"

	"satchel/internal/lint/source"
)

func callRules() []Rule {
	return []Rule{
		{
			ID: "lint/network", Title: "The server's own code uses the network",
			Why: "Whoever reviews an extension wants to know whether it talks to anything but the app. " +
				"Looked at are the author's own programs, not their dependencies.",
			Fix:    "nothing, when the extension is for that: say in its description what it sends where",
			Bad:    `import https from "node:https";`,
			Good:   `import { readFile } from "node:fs/promises";`,
			Source: ours, Author: Hint, Reviewer: Warning, check: checkNetwork,
		},
		{
			ID: "lint/child-process", Title: "The server's own code starts other programs",
			Why: "A program that is started has all the rights of the server, and what it gets as arguments may come from the model. " +
				"Looked at are the author's own programs, not their dependencies.",
			Fix:    "use a library instead; if a program it must be, start it without a shell and with fixed arguments, and say so in the description",
			Bad:    `import { exec } from "node:child_process";`,
			Good:   `import { simpleGit } from "simple-git";`,
			Source: ours, Author: Hint, Reviewer: Warning, check: checkChildProcess,
		},
	}
}

func set(names string) map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		out[name] = true
	}
	return out
}

// Each function gives a fresh set, so that nobody can change one for another.
func networkModules() map[string]bool {
	return set(`http https http2 net tls dgram undici dns inspector axios node-fetch cross-fetch got superagent request ky needle ws websocket socket.io-client
		phin follow-redirects nodemailer imapflow ssh2 mqtt amqplib ioredis redis pg mysql mysql2 mongodb @aws-sdk @octokit/rest googleapis @elastic @anthropic-ai @supabase @slack @notionhq @azure stripe
		requests httpx aiohttp urllib.request urllib3 http.client socket websockets websocket ftplib smtplib imaplib poplib telnetlib paramiko
		pycurl httplib2 tornado.httpclient boto3 botocore openai anthropic grpc xmlrpc.client`)
}

func childModules() map[string]bool {
	return set("child_process execa cross-spawn shelljs node-pty zx tinyexec nano-spawn subprocess pexpect pty sh plumbum cluster")
}

func networkCalls() map[string]bool {
	return set("fetch WebSocket EventSource XMLHttpRequest urllib.request.urlopen socket.socket asyncio.open_connection")
}

func childCalls() map[string]bool {
	return set(`Bun.spawn Bun.spawnSync Deno.Command os.system os.popen os.execv os.execve os.execvp os.execvpe os.execl os.execlp os.spawnl os.spawnlp os.spawnv os.spawnvp os.startfile
		os.posix_spawn asyncio.create_subprocess_exec asyncio.create_subprocess_shell`)
}

func javascriptCalls() map[string]bool {
	return set("fetch WebSocket EventSource XMLHttpRequest Bun.spawn Bun.spawnSync Deno.Command")
}

func pythonCalls() map[string]bool {
	calls := childCalls()
	for name := range networkCalls() {
		if strings.Contains(name, ".") {
			calls[name] = true
		}
	}
	return calls
}

func checkNetwork(c *check) { c.uses("can use the network", networkModules(), networkCalls()) }

func checkChildProcess(c *check) { c.uses("can start other programs", childModules(), childCalls()) }

// uses reports each file once for each module or function.
func (c *check) uses(what string, modules, calls map[string]bool) {
	for _, f := range c.tree.files {
		if f.source == nil || forReaders(f.name) {
			continue
		}
		for _, i := range f.source.imports {
			if path.Ext(f.name) == ".py" && (i.what == "http" || strings.HasPrefix(i.what, "http.") && !strings.HasPrefix(i.what, "http.client")) {
				continue // of Python, http has no more than names of states; https and net are no modules of its own
			}
			if calls[i.what] && moduleIn(modules, i.what) == "" && c.once(f.name+"\x00"+i.what) { // from os import system
				c.add(inFile(f.name, i.spot, "%s: it imports %s", what, quote(i.what)))
			}
			if m := moduleIn(modules, i.what); m != "" && c.once(f.name+"\x00"+m) {
				c.add(inFile(f.name, i.spot, "%s: it imports %s", what, quote(i.what)))
			}
		}
		for _, call := range f.source.calls {
			if calls[call.what] && c.once(f.name+"\x00"+call.what) {
				c.add(inFile(f.name, call.spot, "%s: it calls %s", what, call.what))
			}
		}
	}
}

// moduleIn finds the entry for a module: its own name, that of its package, or one that it is a part of.
func moduleIn(modules map[string]bool, name string) string {
	name = strings.TrimPrefix(name, "node:")
	pkg := source.Package(name)
	scope, _, _ := strings.Cut(pkg, "/")
	for _, n := range []string{name, pkg, scope} {
		if n != "" && modules[n] {
			return n
		}
	}
	for i := len(name) - 1; i > 0; i-- { // of Python: urllib.request.Request is a part of urllib.request
		if name[i] == '.' && modules[name[:i]] {
			return name[:i]
		}
	}
	return ""
}
