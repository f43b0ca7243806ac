package paths

import "strings"

// join and isAbs are those of package filepath for any system, so that one system's tests can check all of them.

func join(goos string, parts ...string) string {
	sep := "/"
	if goos == "windows" {
		sep = `\`
	}
	joined := parts[0]
	for _, p := range parts[1:] {
		joined = strings.TrimSuffix(joined, sep) + sep + strings.ReplaceAll(p, "/", sep)
	}
	return joined
}

func isAbs(goos, p string) bool {
	if goos != "windows" {
		return strings.HasPrefix(p, "/")
	}
	return len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') || strings.HasPrefix(p, `\\`)
}
