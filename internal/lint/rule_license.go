package lint

import (
	"path"
	"strings"

	"satchel/internal/jsonedit"
	"satchel/internal/lint/spdx"
)

func licenseRules() []Rule {
	return []Rule{
		{
			ID: "lint/license", Title: "No licence, or none that is known",
			Why: "Without a licence nobody may use, change or pass on the extension. A directory and a company's policy read SPDX identifiers, " +
				"which leave no doubt about the version.",
			Fix:    `write an SPDX identifier, such as "MIT"; "SEE LICENSE IN LICENSE.md" or "UNLICENSED" for one that has none`,
			Bad:    `"license": "Apache 2"`,
			Good:   `"license": "Apache-2.0"`,
			Source: "SPDX License List", Author: Warning, Reviewer: Warning,
			Mends: "writes the SPDX identifier that was meant, or takes the licence from package.json", check: checkLicense,
		},
		{
			ID: "lint/license-file", Title: "No text of the licence",
			Why:    "MIT, BSD, Apache and most others allow copies only with their text. The bundle is a copy.",
			Fix:    "put the text into the bundle as LICENSE",
			Bad:    `"license": "MIT", and no file LICENSE`,
			Good:   `"license": "MIT", and the file LICENSE`,
			Source: "the licences' own terms", Author: Off, Reviewer: Hint, check: checkLicenseFile,
		},
		{
			ID: "lint/copyleft", Title: "A dependency whose licence asks for more than the extension's",
			Why: "The GPL and the AGPL ask that what contains such code is given under their terms. A bundle that declares MIT and holds GPL code may break them; " +
				"this is a pointer, no legal advice.",
			Fix:    "look at the dependency's licence; replace the dependency, or give the extension under terms that fit",
			Bad:    `"license": "MIT", and node_modules/readline-gpl has "license": "GPL-3.0-only"`,
			Good:   `"license": "GPL-3.0-or-later"`,
			Source: "the licences' own terms", Author: Hint, Reviewer: Warning, check: checkCopyleft,
		},
	}
}

func checkLicense(c *check) {
	declared := c.manifest.License
	if declared == "" {
		f := c.at(nil, "has no license")
		if root := c.root(); root != nil && spdx.Check(root.pkg.License) == nil {
			f.mend = mending("took the license "+quote(root.pkg.License)+" from "+root.name, jsonedit.Set(jsonedit.Path{"license"}, root.pkg.License))
		}
		c.add(f)
		return
	}
	bad := spdx.Check(declared)
	if bad == nil {
		return
	}
	f := c.at([]any{"license"}, "%s is no SPDX identifier", quote(bad.ID))
	if bad.Meant != "" {
		f.Fix = "write " + quote(bad.Meant)
		if bad.ID == declared && leavesNoChoice(bad.Meant) {
			f.mend = mending("wrote "+quote(bad.Meant)+" for "+quote(declared), jsonedit.Set(jsonedit.Path{"license"}, bad.Meant))
		}
	}
	c.add(f)
}

// leavesNoChoice: "GPL 3" may mean this version or any later one, "BSD" one of several; only the author knows.
func leavesNoChoice(id string) bool {
	return !strings.Contains(id, "GPL") && !strings.HasPrefix(id, "BSD")
}

func checkLicenseFile(c *check) {
	declared := c.manifest.License
	if c.subject.Files == nil || declared == "" || strings.EqualFold(declared, "UNLICENSED") {
		return
	}
	for _, f := range c.tree.files {
		base := strings.ToUpper(path.Base(f.name))
		if !f.dep && strings.Count(f.name, "/") <= 1 && (strings.HasPrefix(base, "LICEN") || strings.HasPrefix(base, "COPYING") || strings.HasPrefix(base, "UNLICENSE")) {
			return
		}
	}
	c.add(c.at([]any{"license"}, "is %s, but the bundle has no file with its text", quote(declared)))
}

func checkCopyleft(c *check) {
	if c.manifest.License == "" || spdx.Copyleft(c.manifest.License) || strings.EqualFold(c.manifest.License, "UNLICENSED") {
		return
	}
	for _, f := range c.installed() {
		if spdx.Copyleft(f.pkg.License) {
			c.add(inFile(f.name, spot{}, "%s has the license %s, the extension %s", quote(packageName(f)), quote(f.pkg.License), quote(c.manifest.License)))
		}
	}
}
