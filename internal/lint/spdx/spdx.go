// Package spdx reads licence expressions such as "MIT OR Apache-2.0" against the identifiers of the SPDX License List. Use
// it to find misspelt licences, not as a full reader of SPDX.
package spdx

import (
	"regexp"
	"strings"
	"sync"

	"satchel/internal/spell"
)

// A Bad is a part of an expression that is no identifier.
type Bad struct {
	ID    string
	Meant string // the identifier that was probably meant, or ""
}

// Check gives the first part of an expression that is not known; nil when there is none. "SEE LICENSE IN file" and
// "UNLICENSED" are what npm knows beside SPDX; LicenseRef-x is SPDX's own way for a licence without an identifier.
func Check(expression string) *Bad {
	e := strings.TrimSpace(expression)
	if strings.HasPrefix(strings.ToUpper(e), "SEE LICENSE IN ") || strings.EqualFold(e, "UNLICENSED") || strings.EqualFold(e, "Proprietary") {
		return nil
	}
	if meant := alias(e); meant != "" && !isKnown(e) {
		return &Bad{expression, meant}
	}
	parts := split(e)
	if len(parts) == 0 {
		return &Bad{ID: expression}
	}
	if isOperator(parts[0]) || isOperator(parts[len(parts)-1]) {
		return &Bad{ID: expression}
	}
	for i, id := range parts {
		if i > 0 && strings.EqualFold(parts[i-1], "WITH") || isOperator(id) { // exceptions are not looked at
			continue
		}
		if !isKnown(strings.TrimSuffix(id, "+")) && !strings.HasPrefix(id, "LicenseRef-") && !strings.HasPrefix(id, "DocumentRef-") {
			if len(parts) > 1 && !strings.ContainsAny(e, "()") && !hasOperator(parts) {
				return &Bad{expression, nearest(e)} // words, not an expression
			}
			return &Bad{id, nearest(id)}
		}
	}
	return nil
}

// Copyleft tells whether every choice that an expression leaves is of the GPL family: GPL or AGPL. The LGPL asks for
// less, and so does the GPL with an exception.
func Copyleft(expression string) bool {
	r := &reader{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression[:min(len(expression), 1000)]))}
	return r.either(0)
}

// A reader reads an expression word by word; what is none is read as far as it goes.
type reader struct{ words []string }

func (r *reader) next(word string) bool {
	if len(r.words) == 0 || !strings.EqualFold(r.words[0], word) {
		return false
	}
	r.words = r.words[1:]
	return true
}

// either is a list of choices: all must be copyleft.
func (r *reader) either(depth int) bool {
	all := r.both(depth)
	for r.next("OR") {
		all = r.both(depth) && all
	}
	return all
}

// both is a list of licences that all count: one is enough.
func (r *reader) both(depth int) bool {
	one := r.license(depth)
	for r.next("AND") {
		one = r.license(depth) || one
	}
	return one
}

func (r *reader) license(depth int) bool {
	if depth < 20 && r.next("(") {
		inner := r.either(depth + 1)
		r.next(")")
		return inner
	}
	var words []string
	for len(r.words) > 0 && !isOperator(r.words[0]) && r.words[0] != ")" {
		words = append(words, r.words[0])
		r.words = r.words[1:]
	}
	id := strings.Join(words, " ")
	if meant := alias(id); meant != "" && !isKnown(id) { // GPLv3, GNU GPL v3
		id = meant
	}
	if r.next("WITH") {
		if len(r.words) > 0 {
			r.words = r.words[1:]
		}
		return false
	}
	up := strings.ToUpper(id)
	return strings.HasPrefix(up, "GPL-") || strings.HasPrefix(up, "AGPL-") || up == "GPL" || up == "AGPL"
}

func split(e string) []string {
	return strings.FieldsFunc(e[:min(len(e), 1000)], func(r rune) bool { return r == ' ' || r == '(' || r == ')' })
}

func isOperator(word string) bool {
	return strings.EqualFold(word, "AND") || strings.EqualFold(word, "OR") || strings.EqualFold(word, "WITH")
}

func hasOperator(parts []string) bool {
	for _, p := range parts {
		if isOperator(p) {
			return true
		}
	}
	return false
}

// isKnown: identifiers are compared without regard to case (SPDX 2.3, annex D).
func isKnown(id string) bool {
	for _, k := range ids() {
		if strings.EqualFold(k, id) {
			return true
		}
	}
	return false
}

func nearest(s string) string {
	if meant := alias(s); meant != "" {
		return meant
	}
	return spell.Nearest(strings.ReplaceAll(s, " ", "-"), common())
}

var number = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`v?([0-9][0-9.]*)`) })

// alias knows the ways in which licences are written by hand.
func alias(s string) string {
	text := number().ReplaceAllString(strings.ToLower(s[:min(len(s), 200)]), " $1 ")
	var kept []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" -_,()", r) }) {
		switch w = strings.TrimSuffix(strings.TrimSuffix(w, "."), ".0"); {
		case w == "the" || w == "license" || w == "licence" || w == "licensed" || w == "version" || w == "public" || w == "software" || w == "general" || w == "gnu":
		case len(kept) > 0 && kept[len(kept)-1] == w: // The MIT License (MIT)
		default:
			kept = append(kept, w)
		}
	}
	return map[string]string{
		"mit": "MIT", "expat": "MIT", "apache": "Apache-2.0", "apache 2": "Apache-2.0", "asl 2": "Apache-2.0",
		"bsd": "BSD-3-Clause", "bsd 3": "BSD-3-Clause", "bsd 3 clause": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "bsd 2": "BSD-2-Clause", "bsd 2 clause": "BSD-2-Clause",
		"gpl 3": "GPL-3.0-only", "gpl 2": "GPL-2.0-only", "agpl 3": "AGPL-3.0-only", "lgpl 3": "LGPL-3.0-only", "lgpl 2.1": "LGPL-2.1-only",
		"mozilla 2": "MPL-2.0", "mpl 2": "MPL-2.0", "cc 0": "CC0-1.0", "cc 0 1": "CC0-1.0",
	}[strings.Join(kept, " ")]
}

// common are the identifiers that packages on npm and PyPI use most: what is misspelt was one of these.
func common() []string {
	return strings.Fields(`
		0BSD AFL-2.1 AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0 Artistic-2.0
		BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSD-Source-Code BSL-1.0 BUSL-1.1
		CAL-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.1 CPAL-1.0 CPL-1.0
		ECL-2.0 EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FTL GFDL-1.3-only GPL-1.0-or-later GPL-2.0 GPL-2.0-only
		GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later HPND ICU IPL-1.0 ISC JSON LGPL-2.0-only LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0
		LGPL-3.0-only LGPL-3.0-or-later libtiff LPL-1.02 MIT MIT-0 MIT-CMU MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MS-RL MulanPSL-2.0
		NAIST-2003 NCSA NTP ODbL-1.0 OFL-1.1 OSL-3.0 OpenSSL Parity-7.0.0 PHP-3.01 PolyForm-Noncommercial-1.0.0
		PolyForm-Small-Business-1.0.0 PostgreSQL PSF-2.0 Python-2.0 QPL-1.0 Ruby SSPL-1.0 Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0
		Vim W3C WTFPL X11 Xnet Zend-2.0 Zlib ZPL-2.1`)
}
