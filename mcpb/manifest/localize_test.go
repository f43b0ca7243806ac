package manifest

import (
	"errors"
	"testing"
	"testing/fstest"

	"golang.org/x/text/language"

	"satchel/internal/problem"
)

// localizable is a manifest whose texts are in files called by their locale; each file's description is its name.
func localizable(locales ...string) (*Manifest, fstest.MapFS) {
	files := fstest.MapFS{}
	for _, l := range locales {
		files["texts/"+l+".json"] = &fstest.MapFile{Data: []byte(`{"description": "` + l + `", "name": "other"}`)}
	}
	return &Manifest{Name: "x", Description: "own", Localization: &Localization{Resources: "texts/${locale}.json", DefaultLocale: "en-US"}}, files
}

func TestLocalizeFallsBack(t *testing.T) {
	t.Parallel()
	all := []string{"de", "de-AT", "en", "en-US", "zh", "zh-Hant", "pt", "pt-PT", "sr-Latn"}
	cases := []struct {
		name   string
		files  []string
		prefer []language.Tag
		want   string
	}{
		{"exactly", all, []language.Tag{language.MustParse("de-AT")}, "de-AT"},
		{"the language above", all, []language.Tag{language.MustParse("de-CH")}, "de"},
		{"two steps up", all, []language.Tag{language.MustParse("zh-Hant-HK")}, "zh-Hant"},
		{"another script is another language", all, []language.Tag{language.MustParse("sr")}, "en-US"},
		{"the second wish", all, []language.Tag{language.MustParse("fr"), language.MustParse("pt-BR")}, "pt"},
		{"no wish", all, nil, "en-US"},
		{"none of the wishes", all, []language.Tag{language.MustParse("fr")}, "en-US"},
		{"the same language, another region", all, []language.Tag{language.MustParse("en-GB"), language.MustParse("de")}, "en"},
		{"the default's language goes before a second wish", []string{"de", "en-US"}, []language.Tag{language.MustParse("en-GB"), language.MustParse("de")}, "en-US"},
		{"no file at all", nil, []language.Tag{language.MustParse("de")}, "own"},
		{"no file of the default", []string{"fr"}, []language.Tag{language.MustParse("de")}, "own"},
	}
	for _, c := range cases {
		m, files := localizable(c.files...)
		got, err := Localize(m, files, c.prefer...)
		if err != nil || got.Description != c.want {
			t.Errorf("%s: %v, %v, want %q", c.name, got, err, c.want)
			continue
		}
		if got.Name != "x" || m.Description != "own" {
			t.Errorf("%s: more than texts changed: %+v, %+v", c.name, got, m)
		}
	}
}

func TestLocalizeRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(m *Manifest, files fstest.MapFS){
		"no language tag":    func(m *Manifest, _ fstest.MapFS) { m.Localization.DefaultLocale = "../../x" },
		"outside":            func(m *Manifest, _ fstest.MapFS) { m.Localization.Resources = "../${locale}.json" },
		"no JSON":            func(_ *Manifest, files fstest.MapFS) { files["texts/en-US.json"].Data = []byte("{") },
		"a list, no object":  func(_ *Manifest, files fstest.MapFS) { files["texts/en-US.json"].Data = []byte("[]") },
		"an absolute folder": func(m *Manifest, _ fstest.MapFS) { m.Localization.Resources = "/etc/${locale}.json" },
	} {
		m, files := localizable("en-US")
		change(m, files)
		_, err := Localize(m, files)
		if p, ok := errors.AsType[*problem.Problem](err); !ok || p.Rule != "manifest/locale" || p.Code != problem.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
