package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"satchel/internal/problem"
)

// maxResource is the largest file of translated texts that is read, in bytes.
const maxResource = 1 << 20

// Localize gives a copy of the manifest with its texts in the language that fits the preferred ones best. A preferred
// language is looked for with its parents (pt-BR, then pt) among the resource files that files holds; the texts of the
// default locale are those of the manifest, so that a preferred language that is the default's ends the search. With no
// match the texts stay as they are.
//
// Only texts change, as MANIFEST.md has it: names, commands and options stay the author's, and what a resource has
// beyond the manifest is left out. A resource that leads out of the bundle, is too large or no JSON object is a problem
// of class Invalid. The manifest is not changed.
func Localize(m *Manifest, files fs.FS, prefer ...language.Tag) (*Manifest, error) {
	if m.Localization == nil {
		return m, nil
	}
	if !isLocale(m.Localization.DefaultLocale) {
		return nil, badLocalization("default_locale", m.Localization.DefaultLocale, "is not a language tag")
	}
	for _, locale := range locales(m.Localization.DefaultLocale, prefer) {
		name, why := resourcePath(m.Localization.Resources, locale)
		if why != "" {
			return nil, badLocalization("resources", m.Localization.Resources, why)
		}
		resource, err := readTexts(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, badLocalization("resources", name, "cannot be read").Because(err)
		}
		return localized(m, resource), nil
	}
	return m, nil
}

func badLocalization(key, text, why string) *problem.Problem {
	return problem.New(problem.Invalid, "manifest/locale", "%s %s", quote(text), why).At("localization." + key).From(sourceOf("manifest/locale"))
}

// locales lists the names of resources to try: those of each preferred language from the special to the general, and
// the default, last or where a preferred language reaches it.
func locales(fallback string, prefer []language.Tag) (list []string) {
	ours, err := language.Parse(fallback)
	var general []language.Tag // the default and what is above it
	for tag := ours; err == nil && tag != language.Und; tag = tag.Parent() {
		general = append(general, tag)
	}
	for _, want := range prefer {
		for tag := want; tag != language.Und; tag = tag.Parent() {
			if isLocale(tag.String()) {
				list = append(list, tag.String())
			}
			if slices.Contains(general, tag) {
				return append(list, fallback)
			}
		}
	}
	return append(list, fallback)
}

// resourcePath puts the locale into the path of the resources, or says why that is no path inside the bundle.
func resourcePath(resources, locale string) (name, why string) {
	const variable = "${locale}"
	var b strings.Builder
	lower := lowerASCII(resources)
	for {
		i := strings.Index(lower, variable)
		if i < 0 {
			return localPath(b.String() + resources)
		}
		b.WriteString(resources[:i] + locale)
		resources, lower = resources[i+len(variable):], lower[i+len(variable):]
	}
}

// readTexts reads a file of translated texts: a JSON object with the keys of the manifest.
func readTexts(files fs.FS, name string) (*node, error) {
	f, err := openFile(files, name)
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
	root, finding := readTree(data)
	if finding != nil {
		return nil, errors.New(finding.Message)
	}
	if root.kind != kObject {
		return nil, fmt.Errorf("is %s, expected an object", article(root.kind))
	}
	return root, nil
}

// localized gives a copy of m with the texts of a resource. What has another type than the manifest's text is passed
// over, and so is an empty text.
func localized(m *Manifest, resource *node) *Manifest {
	c := *m
	translate(&c.DisplayName, resource, "display_name")
	translate(&c.Description, resource, "description")
	translate(&c.LongDescription, resource, "long_description")
	translate(&c.Author.Name, resource.get("author"), "name")
	if words := resource.get("keywords"); words != nil && words.kind == kArray {
		c.Keywords = nil
		for _, w := range words.items {
			if w.kind == kString {
				c.Keywords = append(c.Keywords, w.str)
			}
		}
	}
	c.Tools, c.Prompts, c.UserConfig = slices.Clone(m.Tools), slices.Clone(m.Prompts), slices.Clone(m.UserConfig)
	tools, prompts := byName(resource.get("tools")), byName(resource.get("prompts"))
	for i := range c.Tools {
		translate(&c.Tools[i].Description, tools[c.Tools[i].Name], "description")
	}
	for i := range c.Prompts {
		translate(&c.Prompts[i].Description, prompts[c.Prompts[i].Name], "description")
		translate(&c.Prompts[i].Text, prompts[c.Prompts[i].Name], "text")
	}
	options := map[string]*node{}
	resource.get("user_config").each(func(m *member) { options[m.key] = m.val })
	for i := range c.UserConfig {
		translate(&c.UserConfig[i].Title, options[c.UserConfig[i].Key], "title")
		translate(&c.UserConfig[i].Description, options[c.UserConfig[i].Key], "description")
	}
	return &c
}

func translate(to *string, resource *node, key string) {
	if s, ok := resource.text(key); ok && s != "" {
		*to = s
	}
}

func byName(listed *node) map[string]*node {
	found := map[string]*node{}
	if listed == nil {
		return found
	}
	for _, n := range listed.items {
		if name, ok := n.text("name"); ok {
			found[name] = n
		}
	}
	return found
}
