package host

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"satchel/internal/sandbox"
)

// A proof is what the probe found, and where.
type proof struct {
	Machine string         `json:"machine"`
	At      time.Time      `json:"at"`
	Report  sandbox.Report `json:"report"`
}

// proofLife is how long a proof counts: settings of a system change while it runs.
const proofLife = 24 * time.Hour

// Proof gives what the probe found on this machine, for as long as it counts; false when nobody has looked.
func (h *Host) Proof() (sandbox.Report, bool) {
	data, err := h.store.Report()
	var p proof
	if err != nil || json.Unmarshal(data, &p) != nil {
		return sandbox.Report{}, false
	}
	age := time.Since(p.At)
	return p.Report, p.Machine == thisMachine() && age >= 0 && age < proofLife
}

// Prove tries to break out of a sandbox of this machine, from inside, and says what is enforced. It takes about a second;
// what it finds counts until the system, this program or the day changes. Errors are problems: Refused when there is no
// sandbox.
func (h *Host) Prove(ctx context.Context) (sandbox.Report, error) {
	report, err := sandbox.NewLauncher().Prove(ctx)
	if err != nil {
		return report, err
	}
	data, err := json.MarshalIndent(proof{thisMachine(), time.Now().UTC(), report}, "", "  ")
	if err == nil {
		err = h.store.KeepReport(data)
	}
	return report, err
}

// proved gives the proof, and makes it when there is none.
func (h *Host) proved(ctx context.Context) (sandbox.Report, error) {
	if report, ok := h.Proof(); ok {
		return report, nil
	}
	return h.Prove(ctx)
}

// thisMachine changes when what the probe finds may change: with the kernel, a boot, the user or this program.
func thisMachine() string {
	parts := []string{runtime.GOOS, runtime.GOARCH, fmt.Sprint(os.Getuid())}
	for _, name := range []string{"/proc/sys/kernel/osrelease", "/proc/sys/kernel/version", "/proc/sys/kernel/random/boot_id"} {
		text, _ := os.ReadFile(name) // not every system has them
		parts = append(parts, strings.TrimSpace(string(text)))
	}
	if exe, err := os.Executable(); err == nil {
		if info, err := os.Stat(exe); err == nil {
			parts = append(parts, fmt.Sprint(info.Size()), info.ModTime().UTC().Format(time.RFC3339Nano))
		}
	}
	return strings.Join(parts, " | ")
}
