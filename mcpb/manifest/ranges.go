package manifest

import (
	"errors"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	pep440 "github.com/aquasecurity/go-pep440-version"
)

// maxRange is the longest range that is read, in bytes.
const maxRange = 256

var errRange = errors.New("is no range of versions")

// SatisfiesNode tells whether a version such as "20.11.1" or "v20.11.1" is within an npm range such as ">=18 <23 || 24.x".
// A range in the notation of PEP 440, with commas, is understood as well. The empty range holds for every version.
func SatisfiesNode(rng, version string) (bool, error) {
	v, err := semver.NewVersion(strings.TrimSpace(version))
	if err != nil {
		return false, err
	}
	return satisfiesNPM(rng, v)
}

func satisfiesNPM(rng string, v *semver.Version) (bool, error) {
	if strings.TrimSpace(rng) == "" {
		return true, nil
	}
	if len(rng) > maxRange {
		return false, errRange
	}
	c, err := semver.NewConstraint(npmRange(rng))
	if err != nil {
		return false, err
	}
	return c.Check(v), nil
}

// npmRange writes an npm range as the library reads it: commas for blanks, no hyphen ranges, no operators on "*".
func npmRange(rng string) string {
	parts := strings.Split(rng, "||")
	for i, p := range parts {
		if words := strings.Fields(p); len(words) == 3 && words[1] == "-" {
			p = ">=" + words[0] + " <=" + words[2]
		}
		list := comparators(p)
		for j, c := range list {
			operator, version := cutOperator(c)
			if version != "*" && lowerASCII(version) != "x" {
				continue
			}
			list[j] = "*"
			if operator == "<" || operator == ">" {
				list[j] = "<0.0.0" // below or above everything: nothing
			}
		}
		if len(list) == 0 {
			list = []string{"*"}
		}
		parts[i] = strings.Join(list, ", ")
	}
	return strings.Join(parts, " || ")
}

func cutOperator(comparator string) (operator, version string) {
	version = strings.TrimLeft(comparator, "<>=~^!")
	return comparator[:len(comparator)-len(version)], version
}

// comparators splits ">= v18, <23" into ">=18" and "<23".
func comparators(s string) (list []string) {
	operator := ""
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		more, version := cutOperator(word)
		if operator += more; version != "" {
			list = append(list, operator+strings.TrimPrefix(version, "v"))
			operator = ""
		}
	}
	if operator != "" {
		list = append(list, operator) // an operator without a version is refused by the library
	}
	return list
}

// SatisfiesPython tells whether a version such as "3.12.1" is within a PEP 440 range such as ">=3.10,<4". A range in
// npm's notation, with blanks, "^3.10" or "3.x", is understood as well. The empty range holds for every version.
func SatisfiesPython(rng, version string) (bool, error) {
	v, err := pep440.Parse(strings.TrimSpace(version))
	if err != nil {
		return false, err
	}
	list := comparators(rng)
	if len(list) == 0 {
		return true, nil
	}
	if len(rng) <= maxRange && isPEP440(list) {
		if s, err := pep440.NewSpecifiers(strings.Join(list, ",")); err == nil {
			return s.Check(v), nil
		}
	}
	release, err := semver.NewVersion(v.BaseVersion())
	if err != nil {
		return false, err
	}
	return satisfiesNPM(rng, release)
}

// isPEP440 tells whether every comparator begins with an operator of PEP 440: a bare "3.10" is npm's, and means 3.10.x.
func isPEP440(comparators []string) bool {
	for _, c := range comparators {
		operator, version := cutOperator(c)
		known := slices.Contains([]string{"==", "!=", "<=", ">=", "<", ">", "~=", "==="}, operator)
		if !known || strings.Contains(version, "|") {
			return false
		}
	}
	return true
}
