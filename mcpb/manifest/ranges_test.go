package manifest

import (
	"strings"
	"testing"
)

func TestSatisfiesNode(t *testing.T) {
	t.Parallel()
	// Expected as npm's semver 7 has it, for all but the ranges with commas.
	for _, c := range []struct {
		rng, version string
		want         bool
	}{
		{"", "20.0.0", true}, {" ", "20.0.0", true}, {"*", "20.0.0", true}, {"x", "20.0.0", true}, {">=*", "20.0.0", true}, {"<*", "20.0.0", false},
		{">=18.0.0", "18.0.0", true}, {">=18.0.0", "17.9.9", false}, {">=18.0.0", "v20.1.0", true}, {">= 22", "22.0.0", true}, {">= 22", "21.9.0", false},
		{">=v20.18.1", "20.18.1", true}, {">=v20.18.1", "20.18.0", false}, {"18", "18.4.0", true}, {"18", "19.0.0", false}, {"20.x", "20.4.0", true},
		{">=18 <23", "22.5.0", true}, {">=18 <23", "23.0.0", false}, {">=18,<23", "22.5.0", true}, {">=18, <23", "23.0.0", false}, {"<23 >=18", "17.0.0", false},
		{">=18 <20 || >=22", "21.0.0", false}, {">=18 <20 || >=22", "22.0.0", true}, {"18 || 20", "20.1.0", true}, {"18||20", "20.1.0", true}, {"18 ||", "1.0.0", true},
		{"^20.1.0", "20.9.0", true}, {"^20.1.0", "21.0.0", false}, {"^0.2.3", "0.3.0", false}, {"~20.1.0", "20.1.9", true}, {"~20.1.0", "20.2.0", false},
		{"18 - 20", "20.5.0", true}, {"18 - 20", "21.0.0", false}, {"18.1 - 20.2", "18.0.0", false}, {"* - 20", "1.0.0", true},
		{">1.2", "1.2.9", false}, {"<=1.2", "1.2.9", true}, {">=20", "22.0.0-nightly", false},
	} {
		got, err := SatisfiesNode(c.rng, c.version)
		if err != nil || got != c.want {
			t.Errorf("SatisfiesNode(%q, %q) = %t, %v, want %t", c.rng, c.version, got, err, c.want)
		}
	}
}

func TestSatisfiesPython(t *testing.T) {
	t.Parallel()
	// Expected as pip's packaging has it, for all but npm's notation.
	for _, c := range []struct {
		rng, version string
		want         bool
	}{
		{"", "3.12.1", true}, {">=3.10", "3.10.0", true}, {">=3.10", "3.9.18", false}, {">= 3.10", "3.12.1", true}, {">=3.11,<4.0", "3.12.1", true}, {">=3.11,<4.0", "4.0.0", false},
		{">=3.12,<3.14", "3.14.0", false}, {">=3.8.0 <4", "3.12.1", true}, {">=3.8.0 <4", "4.0.0", false}, {">=3.10, <4", "3.9.0", false}, {"~=3.10", "3.12.1", true},
		{"~=3.10.2", "3.11.0", false}, {"==3.12.*", "3.12.7", true}, {"!=3.12.*", "3.12.7", false}, {"==3.12", "3.12.0", true}, {"==3.12", "3.12.1", false},
		{"3.12", "3.12.7", true}, {"3.x", "3.12.7", true}, {"^3.10", "3.12.7", true}, {"^3.10", "4.0.0", false}, {"3.10 || 3.12", "3.12.4", true}, {">=3.8 <3.10 || >=3.12", "3.11.0", false},
		{"*", "3.12.1", true}, {">=3.13", "3.13.0rc1", false}, {">=3.12", "3.13.0rc1", true}, {">=3.10", "3.10", true},
	} {
		got, err := SatisfiesPython(c.rng, c.version)
		if err != nil || got != c.want {
			t.Errorf("SatisfiesPython(%q, %q) = %t, %v, want %t", c.rng, c.version, got, err, c.want)
		}
	}
}

func TestRangesThatAreNone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(">=1 ", 100)
	for _, rng := range []string{"latest", ">=", ">= ||", "18 20 - 22", "lts/*", "v", ">=eighteen", "$", "18 - - 20", long, "\x00", "≥18"} {
		if ok, err := SatisfiesNode(rng, "20.0.0"); err == nil || ok {
			t.Errorf("SatisfiesNode(%q) = %t, %v, want an error", rng, ok, err)
		}
		if ok, err := SatisfiesPython(rng, "3.12.0"); err == nil || ok {
			t.Errorf("SatisfiesPython(%q) = %t, %v, want an error", rng, ok, err)
		}
	}
	if _, err := SatisfiesNode(">=1", "twenty"); err == nil {
		t.Error("SatisfiesNode took twenty for a version")
	}
	if _, err := SatisfiesPython(">=1", "three"); err == nil {
		t.Error("SatisfiesPython took three for a version")
	}
}
