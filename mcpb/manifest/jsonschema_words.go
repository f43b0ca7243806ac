package manifest

// A wording is what an editor shows about a key.
type wording struct{ description, example string } // the example is JSON

// words has the wording of each key by its path: [] stands for an item, .* for a value under any key.
func words() map[string]wording {
	all := map[string]wording{
		"$schema":                       {"Where an editor finds the schema of this file. Hosts do not look at it.", `"./manifest.schema.json"`},
		"dxt_version":                   {"The older name of manifest_version.", `"0.2"`},
		"manifest_version":              {"Which version of the specification the manifest follows; it decides which keys there are.", `"0.3"`},
		"name":                          {"The name for machines: lower-case letters, digits, dots and dashes. Updates find the installed extension by it.", `"my-extension"`},
		"display_name":                  {"The name that people see. Without it, name is shown.", `"My Extension"`},
		"version":                       {"The extension's own version, MAJOR.MINOR.PATCH.", `"1.0.0"`},
		"description":                   {"One sentence about what it does.", `"Searches the notes in a folder."`},
		"long_description":              {"A longer text, in Markdown.", ""},
		"author":                        {"Who made it. It is shown as self-declared; it proves nothing.", `{"name": "Ada Lovelace"}`},
		"author.name":                   {"A person or an organisation.", `"Ada Lovelace"`},
		"author.email":                  {"An e-mail address for people with questions.", `"ada@example.com"`},
		"author.url":                    {"A page about the author.", `"https://example.com/ada"`},
		"repository":                    {"Where the source is.", `{"type": "git", "url": "https://example.com/my-extension.git"}`},
		"repository.type":               {"The kind of repository.", `"git"`},
		"repository.url":                {"Its address.", `"https://example.com/my-extension.git"`},
		"homepage":                      {"The extension's page.", `"https://example.com/my-extension"`},
		"documentation":                 {"Where it is explained.", `"https://example.com/my-extension/docs"`},
		"support":                       {"Where to ask for help or report a defect.", `"https://example.com/my-extension/issues"`},
		"icon":                          {"A PNG picture in the bundle, best 512 x 512, as a path from its root.", `"icon.png"`},
		"icons":                         {"Pictures of several sizes and themes.", ""},
		"icons[].src":                   {"A picture in the bundle, as a path from its root.", `"icons/64.png"`},
		"icons[].size":                  {"Its width and height in pixels.", `"64x64"`},
		"icons[].theme":                 {"The theme that it is for.", `"dark"`},
		"screenshots":                   {"Pictures in the bundle that show it at work.", `["screenshots/search.png"]`},
		"localization":                  {"Where the texts in other languages are.", `{"resources": "texts/${locale}.json", "default_locale": "en"}`},
		"localization.resources":        {"The path of a language's texts in the bundle, with ${locale} for the language.", `"texts/${locale}.json"`},
		"localization.default_locale":   {"The language of the texts in the manifest itself.", `"en"`},
		"tools":                         {"The tools that the server has, as people should see them before it runs.", ""},
		"tools[].name":                  {"The tool's name, as the server says it.", `"search_notes"`},
		"tools[].description":           {"What the tool does.", `"Finds notes that hold a word."`},
		"tools_generated":               {"The server has more tools than are listed; they are known when it runs.", ""},
		"prompts":                       {"The prompts that the server has.", ""},
		"prompts[].name":                {"The prompt's name, as the server says it.", `"summarise"`},
		"prompts[].description":         {"What the prompt is for.", ""},
		"prompts[].arguments":           {"The names of what the person fills in.", `["topic"]`},
		"prompts[].text":                {"The text, with ${arguments.NAME} for what the person fills in.", `"Summarise my notes about ${arguments.topic}."`},
		"prompts_generated":             {"The server has more prompts than are listed; they are known when it runs.", ""},
		"keywords":                      {"Words by which it is found.", `["notes", "search"]`},
		"license":                       {"Its licence, best as an SPDX identifier.", `"MIT"`},
		"privacy_policies":              {"Pages that say what the services it speaks to do with the person's data.", `["https://example.com/privacy"]`},
		"compatibility":                 {"Where it runs.", ""},
		"compatibility.claude_desktop":  {"The versions of Claude Desktop that it needs.", `">=0.10.0"`},
		"compatibility.platforms":       {"The systems that it runs on; without the key, all.", `["darwin", "linux"]`},
		"compatibility.platforms[]":     {"darwin is macOS, win32 is Windows.", ""},
		"compatibility.runtimes":        {"The versions of the interpreters that it needs.", ""},
		"compatibility.runtimes.python": {"Versions of Python, as PEP 440 writes ranges.", `">=3.10,<4"`},
		"compatibility.runtimes.node":   {"Versions of Node.js, as npm writes ranges.", `">=18.0.0"`},
		"_meta":                         {"What other programs keep here, each under a name in the form of a domain.", `{"com.example": {"channel": "beta"}}`},
		"_meta.*":                       {"An object that only the program of this name understands.", ""},
	}
	for _, more := range []map[string]wording{serverWords(), optionWords()} {
		for path, w := range more {
			all[path] = w
		}
	}
	return all
}

func serverWords() map[string]wording {
	const config = "server.mcp_config"
	all := map[string]wording{
		"server":             {"How the server starts.", ""},
		"server.type":        {"What the server is written in: it says which runtime the host brings. From 0.4 on also uv, Python with the packages that uv installs.", `"node"`},
		"server.entry_point": {"The server's main file, as a path in the bundle.", `"server/index.js"`},
		config:               {"The command that starts the server.", `{"command": "node", "args": ["${__dirname}/server/index.js"]}`},
		config + ".platform_overrides": {"What differs on a system: win32, darwin or linux, also with a processor as in darwin-arm64.",
			`{"win32": {"command": "node.exe"}}`},
		config + ".platform_overrides.*": {"What replaces parts of the command on this system.", ""},
	}
	for _, at := range []string{config, config + ".platform_overrides.*"} {
		all[at+".command"] = wording{"The program: a name to be found by the host, or a path that begins with ${__dirname}.", `"node"`}
		all[at+".args"] = wording{"Its arguments. ${__dirname} is the bundle's folder, ${user_config.KEY} an answer of the person.", `["${__dirname}/server/index.js"]`}
		all[at+".env"] = wording{"Environment variables. Secrets belong here, not into args.", `{"API_KEY": "${user_config.api_key}"}`}
	}
	return all
}

func optionWords() map[string]wording {
	return map[string]wording{
		"user_config":               {"What the person is asked before the server starts; each key is used as ${user_config.KEY}.", ""},
		"user_config.*":             {"A question to the person.", `{"type": "directory", "title": "Notes", "description": "The folder of your notes."}`},
		"user_config.*.type":        {"What the answer is.", `"directory"`},
		"user_config.*.title":       {"The question in a word or two.", `"Notes"`},
		"user_config.*.description": {"What the answer is for.", `"The folder of your notes."`},
		"user_config.*.required":    {"The server does not start without an answer.", ""},
		"user_config.*.default":     {"The answer when the person gives none; a list with multiple.", `"${HOME}/Notes"`},
		"user_config.*.multiple":    {"Several folders, files or texts may be given.", ""},
		"user_config.*.sensitive":   {"The answer is a secret: it is kept in the system's keychain and never shown.", ""},
		"user_config.*.min":         {"The smallest number allowed.", ""},
		"user_config.*.max":         {"The largest number allowed.", ""},
	}
}
