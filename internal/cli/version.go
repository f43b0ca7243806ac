package cli

import (
	"runtime"

	"github.com/spf13/cobra"
)

// Version is the version of this program (semantic versioning).
const Version = "0.1.0"

type versionResult struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "version",
		Short:       "Show the version",
		Example:     "  satchel version\n  satchel version --json",
		Args:        wantArgs(0, 0),
		Annotations: exits("2 usage"),
		RunE: func(*cobra.Command, []string) error {
			v := versionResult{Version, runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return a.show(v, func() { a.out.Printf("satchel %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch) })
		},
	}
}
