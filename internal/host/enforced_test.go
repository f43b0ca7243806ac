package host

import (
	"strings"
	"testing"

	"satchel/internal/grant"
	"satchel/internal/sandbox"
)

// TestNothingIsCalledEnforcedThatIsNot on the systems whose sandbox holds less.
func TestNothingIsCalledEnforcedThatIsNot(t *testing.T) {
	for m, want := range map[sandbox.Mode]map[grant.Kind]string{
		sandbox.Namespaces: {grant.KindRead: "yes", grant.KindMemory: "yes"},
		sandbox.Landlock:   {grant.KindRead: "yes, limited"},
		sandbox.Seatbelt:   {grant.KindRead: "yes", grant.KindNet: "yes", grant.KindMemory: "no:", grant.KindProcesses: "no:", grant.KindTemp: "no:", grant.KindCPU: "yes"},
		sandbox.Restricted: {
			grant.KindRead: "no:", grant.KindWrite: "yes, limited", grant.KindNet: "no:", grant.KindPort: "no:", grant.KindRun: "no:",
			grant.KindOpenFiles: "no:", grant.KindMemory: "yes", grant.KindCPU: "yes",
		},
	} {
		for kind, begin := range want {
			if got := enforcedIn(m, kind); !strings.HasPrefix(got, begin) || begin == "yes" && got != begin {
				t.Errorf("%s in %s: %q", kind, m, got)
			}
		}
	}
}
