package manifest

import (
	"bytes"
	"encoding/json"
)

// A Manifest is the manifest.json of a bundle, of any version from 0.1 to 0.4, as the host reads it: unknown keys are
// left out. Strings are exactly what the author wrote; variables such as ${HOME} are not expanded here.
type Manifest struct {
	Schema           string                                `json:"$schema,omitempty"`
	DXTVersion       string                                `json:"dxt_version,omitempty"` // the older name of ManifestVersion
	ManifestVersion  string                                `json:"manifest_version,omitempty"`
	Name             string                                `json:"name"`
	DisplayName      string                                `json:"display_name,omitempty"`
	Version          string                                `json:"version"`
	Description      string                                `json:"description"`
	LongDescription  string                                `json:"long_description,omitempty"`
	Author           Author                                `json:"author"`
	Repository       *Repository                           `json:"repository,omitempty"`
	Homepage         string                                `json:"homepage,omitempty"`
	Documentation    string                                `json:"documentation,omitempty"`
	Support          string                                `json:"support,omitempty"`
	Icon             string                                `json:"icon,omitempty"`
	Icons            []Icon                                `json:"icons,omitzero"`
	Screenshots      []string                              `json:"screenshots,omitzero"`
	Localization     *Localization                         `json:"localization,omitempty"`
	Server           Server                                `json:"server"`
	Tools            []Tool                                `json:"tools,omitzero"`
	ToolsGenerated   bool                                  `json:"tools_generated,omitempty"` // the server has more tools than are listed
	Prompts          []Prompt                              `json:"prompts,omitzero"`
	PromptsGenerated bool                                  `json:"prompts_generated,omitempty"`
	Keywords         []string                              `json:"keywords,omitzero"`
	License          string                                `json:"license,omitempty"`
	PrivacyPolicies  []string                              `json:"privacy_policies,omitzero"`
	Compatibility    *Compatibility                        `json:"compatibility,omitempty"`
	UserConfig       Options                               `json:"user_config,omitzero"`
	Meta             map[string]map[string]json.RawMessage `json:"_meta,omitzero"`
}

// An Author is who says to have written the extension; it proves nothing.
type Author struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// A Repository is where the source is.
type Repository struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

// An Icon is one size and theme of the extension's picture (since 0.3).
type Icon struct {
	Src   string `json:"src"`
	Size  string `json:"size"` // width x height in pixels, such as "16x16"
	Theme string `json:"theme,omitempty"`
}

// Localization says where the translated texts are (since 0.3).
type Localization struct {
	Resources     string `json:"resources"`      // a path with ${locale} in it
	DefaultLocale string `json:"default_locale"` // a BCP 47 tag
}

// The kinds of server.
const (
	Node   = "node"
	Python = "python"
	Binary = "binary"
	UV     = "uv" // since 0.4
)

// A Server says how to start the extension.
type Server struct {
	Type       string     `json:"type"`
	EntryPoint string     `json:"entry_point"`
	MCPConfig  *MCPConfig `json:"mcp_config,omitempty"` // nil only for uv
}

// A Command is a program with its arguments and environment, variables not yet expanded.
type Command struct {
	Command string            `json:"command"`       // "" in an override: the same as not given
	Args    []string          `json:"args,omitzero"` // nil: not given, which an override tells from empty
	Env     map[string]string `json:"env,omitzero"`
}

// An MCPConfig is the command of a server and what replaces parts of it on some platforms.
type MCPConfig struct {
	Command
	PlatformOverrides map[string]Command `json:"platform_overrides,omitzero"` // key: linux, darwin, win32, or with -arch
}

// A Tool is a tool that the author declares; what the server really offers is known only when it runs.
type Tool struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// A Prompt is a prompt that the author declares.
type Prompt struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Arguments   []string `json:"arguments,omitzero"`
	Text        string   `json:"text"`
}

// Compatibility is where the extension runs.
type Compatibility struct {
	ClaudeDesktop string   `json:"claude_desktop,omitempty"` // a version range
	Platforms     []string `json:"platforms,omitzero"`       // darwin, win32, linux; empty: all
	Runtimes      struct {
		Python string `json:"python,omitempty"` // a version range
		Node   string `json:"node,omitempty"`   // a version range
	} `json:"runtimes,omitzero"`
}

// The types of an option.
const (
	String    = "string"
	Number    = "number"
	Boolean   = "boolean"
	Directory = "directory"
	File      = "file"
)

// An Option is one question of user_config that the person answers.
type Option struct {
	Key         string   `json:"-"`
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Required    bool     `json:"required,omitempty"`
	Default     any      `json:"default,omitempty"` // nil, string, float64, bool or []string
	Multiple    bool     `json:"multiple,omitempty"`
	Sensitive   bool     `json:"sensitive,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
}

// Options are the questions of user_config in the author's order.
type Options []Option

// Get finds the option of a key.
func (o Options) Get(key string) (Option, bool) {
	for _, opt := range o {
		if opt.Key == key {
			return opt, true
		}
	}
	return Option{}, false
}

// UnmarshalJSON reads a JSON object and keeps the order of its keys. Of a key given twice the last one counts. A list as
// a default becomes a []string.
func (o *Options) UnmarshalJSON(data []byte) error {
	*o = nil
	var byKey map[string]Option
	if err := json.Unmarshal(data, &byKey); err != nil {
		return err
	}
	for key, opt := range byKey {
		if list, ok := opt.Default.([]any); ok {
			opt.Default = texts(list)
			byKey[key] = opt
		}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil { // the opening brace, or null
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
		if opt, ok := byKey[key.(string)]; ok {
			opt.Key = key.(string)
			delete(byKey, opt.Key)
			*o = append(*o, opt)
		}
	}
	return nil
}

func texts(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i], _ = v.(string)
	}
	return out
}

// MarshalJSON writes a JSON object in the order of o. Characters such as < stay for the encoder around it to escape.
func (o Options) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, opt := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(opt.Key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(opt); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
