package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"satchel/internal/problem"
)

// maxResource is the largest file of translated texts that is read, in bytes.
const maxResource = 1 << 20

// texts is a file of translated texts: the same keys as the manifest, with the texts that a person sees.
type texts struct {
	DisplayName     string                `json:"display_name"`
	Description     string                `json:"description"`
	LongDescription string                `json:"long_description"`
	Keywords        []string              `json:"keywords"`
	Tools           []Tool                `json:"tools"`
	Prompts         []Prompt              `json:"prompts"`
	UserConfig      map[string]optionText `json:"user_config"`
}

type optionText struct {
	Title       string `json:"title"`
	Description string `json:"description"`
}

// Localize gives a copy of the manifest with its texts in the language that fits the preferred ones best, by BCP 47
// matching among the resource files that files holds; the manifest itself when there is none. Only texts change: names,
// commands and options stay the author's. A resource that is too large or no JSON is a problem of class Invalid.
func Localize(m *Manifest, files fs.FS, preferred ...language.Tag) (*Manifest, error) {
	if m.Localization == nil {
		return m, nil
	}
	for _, locale := range candidates(m.Localization.DefaultLocale, preferred) {
		name, ok := resourcePath(m.Localization.Resources, locale)
		if !ok {
			return nil, problem.New(problem.Invalid, "manifest/locale", "leads out of the bundle").At(m.Localization.Resources)
		}
		t, err := readTexts(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, problem.New(problem.Invalid, "manifest/locale", "cannot be read").At(name).Because(err)
		}
		return t.apply(m), nil
	}
	return m, nil
}

// candidates lists the locales to try: each preferred one with its parents (pt-BR, pt), then the default.
func candidates(fallback string, preferred []language.Tag) []string {
	var list []string
	for _, tag := range preferred {
		for ; tag != language.Und; tag = tag.Parent() {
			list = append(list, tag.String())
			if base, conf := tag.Base(); conf != language.No && base.String() == tag.String() {
				break
			}
		}
	}
	return slices.Compact(append(list, fallback))
}

// resourcePath puts the locale into the path of the resources; false when that is no path inside the bundle.
func resourcePath(resources, locale string) (string, bool) {
	if rule, _ := localeFormat(locale); rule != "" {
		return "", false
	}
	name := regexp.MustCompile(`(?i)\$\{locale\}`).ReplaceAllLiteralString(strings.TrimPrefix(resources, "${__dirname}/"), locale)
	name = path.Clean(name)
	return name, fs.ValidPath(name) && !strings.Contains(name, `\`)
}

func readTexts(files fs.FS, name string) (*texts, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxResource+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxResource {
		return nil, fmt.Errorf("has more than %d bytes", maxResource)
	}
	var t texts
	return &t, json.Unmarshal(data, &t)
}

func (t *texts) apply(m *Manifest) *Manifest {
	c := *m
	set := func(to *string, s string) {
		if s != "" {
			*to = s
		}
	}
	set(&c.DisplayName, t.DisplayName)
	set(&c.Description, t.Description)
	set(&c.LongDescription, t.LongDescription)
	if t.Keywords != nil {
		c.Keywords = t.Keywords
	}
	c.Tools, c.Prompts, c.UserConfig = slices.Clone(m.Tools), slices.Clone(m.Prompts), slices.Clone(m.UserConfig)
	for i := range c.Tools {
		if j := slices.IndexFunc(t.Tools, func(x Tool) bool { return x.Name == c.Tools[i].Name }); j >= 0 {
			set(&c.Tools[i].Description, t.Tools[j].Description)
		}
	}
	for i := range c.Prompts {
		if j := slices.IndexFunc(t.Prompts, func(x Prompt) bool { return x.Name == c.Prompts[i].Name }); j >= 0 {
			set(&c.Prompts[i].Description, t.Prompts[j].Description)
		}
	}
	for i := range c.UserConfig {
		text := t.UserConfig[c.UserConfig[i].Key]
		set(&c.UserConfig[i].Title, text.Title)
		set(&c.UserConfig[i].Description, text.Description)
	}
	return &c
}
