package host

import (
	"context"

	"satchel/internal/sandbox"
)

// ProveSandbox tries to break out of a sandbox of this machine, from inside, and says what is enforced. Errors are
// problems: Refused when there is none.
func ProveSandbox(ctx context.Context) (sandbox.Report, error) {
	return sandbox.NewLauncher().Prove(ctx)
}
