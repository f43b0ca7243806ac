package problem

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestExitCodes(t *testing.T) {
	want := map[Code]int{
		Failed: 1, Usage: 2, Invalid: 3, Refused: 4, Untrusted: 5, NotFound: 6,
		NeedsConfig: 7, Unsigned: 8, Tampered: 9, Interrupted: 130, "unheard of": 1,
	}
	for code, exit := range want {
		if got := ExitCode(fmt.Errorf("wrapped: %w", New(code, "", "x"))); got != exit {
			t.Errorf("%s: exit code %d, want %d", code, got, exit)
		}
	}
	if got := ExitCode(nil); got != 0 {
		t.Errorf("nil: exit code %d, want 0", got)
	}
	if got := ExitCode(errors.New("internal")); got != 1 {
		t.Errorf("another error: exit code %d, want 1", got)
	}
	if got := ExitCode(fmt.Errorf("reading: %w", context.Canceled)); got != 130 {
		t.Errorf("cancelled: exit code %d, want 130", got)
	}
}

func TestBuildersDoNotChangeTheOriginal(t *testing.T) {
	cause := errors.New("disk on fire")
	base := New(Invalid, "bundle/x", "is %s", "bad")
	full := base.At("a.mcpb").Try("run %s", "it").From("APPNOTE 4.3").Because(cause)
	if base.Subject != "" || base.Hint != "" || base.Source != "" || base.Cause != nil {
		t.Errorf("the original was changed: %+v", base)
	}
	if got, want := full.Error(), "a.mcpb: is bad: disk on fire"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(full, cause) {
		t.Error("the cause is not in the chain")
	}
}
