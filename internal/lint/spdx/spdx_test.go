package spdx

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"MIT": "", "mit": "", "Apache-2.0": "", "(MIT OR Apache-2.0)": "", "GPL-2.0-only WITH Classpath-exception-2.0": "", "MIT AND (ISC OR BSD-3-Clause)": "",
		"SEE LICENSE IN LICENSE.md": "", "UNLICENSED": "", "LicenseRef-Acme": "", "GPL-2.0+": "", "Proprietary": "",
		"Apache 2":                             "Apache 2>Apache-2.0",
		"Apache License, Version 2.0":          "Apache License, Version 2.0>Apache-2.0",
		"The MIT License (MIT)":                "The MIT License (MIT)>MIT",
		"MIT License":                          "MIT License>MIT",
		"GPLv3":                                "GPLv3>GPL-3.0-only",
		"BSD":                                  "BSD>BSD-3-Clause",
		"MTI":                                  "MTI>MIT",
		"MIT OR Apache2":                       "Apache2>Apache-2.0",
		"NOT GIVEN":                            "NOT GIVEN>",
		"":                                     ">",
		"()":                                   "()>",
		"MIT OR":                               "MIT OR>",
		"OR MIT":                               "OR MIT>",
		"CC-BY-ND-4.0 AND curl":                "",
		strings.Repeat("(MIT OR ", 50) + "MIT": "",
	} {
		got := ""
		if bad := Check(expression); bad != nil {
			got = bad.ID + ">" + bad.Meant
		}
		if got != want {
			t.Errorf("%q: %q, want %q", expression, got, want)
		}
	}
}

func TestCopyleft(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"GPL-3.0": true, "AGPL-3.0-or-later": true, "GPL-2.0 OR MIT": false, "(MIT OR GPL-3.0)": false, "MIT": false, "LGPL-3.0": false, "": false,
		"MIT AND GPL-2.0-only": true, "GPL-2.0-only OR AGPL-3.0": true, "GPL": true,
		"MIT AND (GPL-2.0-only OR AGPL-3.0)": true, "(MIT AND GPL-2.0-only) OR ISC": false, "GPLv3": true, "GNU GPL v3": true, "mit or gpl-2.0": false,
		"GPL-2.0-only WITH Classpath-exception-2.0": false, "(GPL-3.0": true, "Acme OR GPL-3.0": false, "OR": false,
	} {
		if Copyleft(expression) != want {
			t.Errorf("%q: %v", expression, !want)
		}
	}
}

func TestIdentifiersAreEachOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, id := range common() {
		if !isKnown(id) {
			t.Errorf("%s is no identifier", id)
		}
	}
	for _, id := range ids() {
		if low := strings.ToLower(id); seen[low] {
			t.Errorf("%s is there twice", id)
		} else {
			seen[low] = true
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"MIT", "(A OR B)", "Apache 2", "WITH", "OR", "("} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if bad := Check(s); bad != nil && bad.Meant != "" && !isKnown(bad.Meant) {
			t.Fatalf("%q is meant as %q, which is none", s, bad.Meant)
		}
		Copyleft(s)
	})
}
