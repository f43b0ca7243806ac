package probe

import "testing"

// TestPortableLinesAreTried: every line that other systems have is one of Linux's, whose tests try it bare and in each
// mode, and it says what it does in the same words.
func TestPortableLinesAreTried(t *testing.T) {
	ours := map[string]bool{}
	for _, l := range lines() {
		if ours[l.group+": "+l.name] {
			t.Errorf("%s: %s is there twice", l.group, l.name)
		}
		ours[l.group+": "+l.name] = true
	}
	portable := portableLines()
	if len(portable) < 35 {
		t.Errorf("only %d lines", len(portable))
	}
	for _, l := range portable {
		if !ours[l.group+": "+l.name] || l.deadly {
			t.Errorf("%s: %s", l.group, l.name)
		}
	}
}
