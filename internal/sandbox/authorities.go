package sandbox

import (
	"encoding/pem"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// A brought file is one that the sandbox puts into a server's world, in a folder for them.
type brought struct{ name, text string }

const (
	mostAuthority   = 4 << 20 // bytes of one file
	mostAuthorities = 200     // files of all folders
	mostNames       = 1000    // that are looked at in a folder
)

// authorities gives copies of the files that the environment names as those of a company's own certificate authorities,
// and the environment with the copies' names in dir. The names can be a manifest's, of any file: only certificates are
// copied. What has none keeps its name, and is not there inside.
func authorities(env []string, dir string) (changed []string, files []brought) {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE":
			if text := certificatesIn(value); text != "" {
				files = append(files, brought{name + ".pem", text})
				e = name + "=" + path.Join(dir, name+".pem")
			}
		case "SSL_CERT_DIR":
			if found := certificatesBelow(name, value); len(found) > 0 {
				files = append(files, found...)
				e = name + "=" + path.Join(dir, name)
			}
		}
		changed = append(changed, e)
	}
	return changed, files
}

// certificatesBelow copies the files of a list of folders: their names are how they are found.
func certificatesBelow(to, list string) (files []brought) {
	seen := map[string]bool{}
	for dir := range strings.SplitSeq(list, ":") {
		for _, name := range namesIn(dir) {
			text := certificatesIn(path.Join(dir, name))
			if text == "" || seen[name] || len(files) == mostAuthorities {
				continue
			}
			seen[name] = true
			files = append(files, brought{path.Join(to, name), text})
		}
	}
	return files
}

// namesIn gives what is in a folder, of a very full one some.
func namesIn(dir string) []string {
	f, ok := opened(dir, os.ModeDir)
	if !ok {
		return nil
	}
	defer f.Close()
	names, err := f.Readdirnames(mostNames)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

// opened opens what is of a type. Nothing else is opened: a pipe would hold us up, and to some devices it means something.
func opened(name string, want os.FileMode) (*os.File, bool) {
	if info, err := os.Stat(name); !path.IsAbs(name) || err != nil || info.Mode().Type() != want {
		return nil, false
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe may have come meanwhile
	if err != nil {
		return nil, false
	}
	if info, err := f.Stat(); err != nil || info.Mode().Type() != want {
		f.Close()
		return nil, false
	}
	return f, true
}

// certificatesIn gives the certificates of a file and nothing else of it; none when it is no such file.
func certificatesIn(name string) string {
	f, ok := opened(name, 0)
	if !ok {
		return ""
	}
	defer f.Close()
	rest, err := io.ReadAll(io.LimitReader(f, mostAuthority))
	if err != nil {
		return ""
	}
	var out strings.Builder
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out.String()
		}
		if block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE" {
			block.Headers = nil
			out.Write(pem.EncodeToMemory(block))
		}
	}
}
