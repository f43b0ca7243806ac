package seccomp

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the lists of numbers and testdata anew")

// TestNumbersAreThoseOfTheKernel holds the lists of numbers to golang.org/x/sys, whose lists come from the kernel's headers.
func TestNumbersAreThoseOfTheKernel(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, goarch := range []string{"amd64", "arm64"} {
		file, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "unix", "zsysnum_linux_"+goarch+".go"))
		if err != nil {
			t.Fatal(err)
		}
		numbers := map[string]int{}
		for _, m := range regexp.MustCompile(`(?m)^\tSYS_(\w+)\s*= (\d+)$`).FindAllStringSubmatch(string(file), -1) {
			numbers[kernelName(m[1])], _ = strconv.Atoi(m[2])
		}
		if len(numbers) < 300 {
			t.Fatalf("%s: only %d calls found", goarch, len(numbers))
		}
		var b bytes.Buffer
		for _, name := range slices.SortedFunc(maps.Keys(numbers), func(a, b string) int { return numbers[a] - numbers[b] }) {
			fmt.Fprintf(&b, "%d %s\n", numbers[name], name)
		}
		golden(t, "numbers/"+goarch, b.Bytes())
	}
}

// kernelName is what the kernel calls it today where the header of an architecture keeps an older name.
func kernelName(header string) string {
	switch name := strings.ToLower(header); name {
	case "fstatat":
		return "newfstatat"
	case "sync_file_range2":
		return "sync_file_range"
	default:
		return name
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it should be; go test -update writes it anew; look at the difference", file)
	}
}
