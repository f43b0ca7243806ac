package manifest

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
	pep440 "github.com/aquasecurity/go-pep440-version"
)

// SatisfiesNode tells whether a version such as "20.11.1" or "v20.11.1" is within an npm range such as ">=18 <23 || 24.x".
// A range with PEP 440 commas is understood as well; the empty range holds for every version.
func SatisfiesNode(versions, version string) (bool, error) {
	if strings.TrimSpace(versions) == "" {
		return true, nil
	}
	v, err := semver.NewVersion(strings.TrimPrefix(strings.TrimSpace(version), "v"))
	if err != nil {
		return false, err
	}
	c, err := semver.NewConstraint(npmRange(versions))
	if err != nil {
		return false, err
	}
	return c.Check(v), nil
}

// npmRange puts commas where npm has blanks: the library reads "a, b" as both.
func npmRange(r string) string {
	r = regexp.MustCompile(`([<>=~^!]+)\s*v?\s*`).ReplaceAllString(strings.TrimSpace(r), "$1")
	if strings.Contains(r, " - ") {
		return r // a hyphen range, which the library knows
	}
	parts := strings.Split(r, "||")
	for i, p := range parts {
		parts[i] = strings.Join(strings.FieldsFunc(p, func(c rune) bool { return c == ' ' || c == ',' }), ", ")
	}
	return strings.Join(parts, " || ")
}

// SatisfiesPython tells whether a version such as "3.12.1" is within a PEP 440 range such as ">=3.10,<4", or one written
// the npm way, with blanks. The empty range holds for every version.
func SatisfiesPython(versions, version string) (bool, error) {
	if strings.TrimSpace(versions) == "" {
		return true, nil
	}
	v, err := pep440.Parse(strings.TrimSpace(version))
	if err != nil {
		return false, err
	}
	if s, err := pep440.NewSpecifiers(pepRange(versions)); err == nil {
		return s.Check(v), nil
	}
	return SatisfiesNode(versions, v.BaseVersion())
}

// pepRange puts commas where an npm range has blanks.
func pepRange(r string) string {
	r = regexp.MustCompile(`([<>=~!]+)\s+`).ReplaceAllString(strings.TrimSpace(r), "$1")
	return strings.Join(strings.FieldsFunc(r, func(c rune) bool { return c == ' ' || c == ',' }), ",")
}
