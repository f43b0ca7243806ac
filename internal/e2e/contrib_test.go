package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"satchel/internal/testsupport"
)

// An action is a composite action of GitHub's, with the keys that we use: any other key is an error.
type action struct {
	Name, Description, Author string
	Inputs                    map[string]struct{ Description, Default string }
	Outputs                   map[string]struct{ Description, Value string }
	Runs                      struct {
		Using string
		Steps []step
	}
}

type step struct {
	Name, ID, If, Uses, Shell, Run string
	Env, With                      map[string]string
}

// A gitlabFile is a GitLab CI file with the keys that we use.
type gitlabFile struct {
	Variables map[string]string
	Satchel   struct {
		Stage, Image string
		Script       []string
		AfterScript  []string `yaml:"after_script"`
		Artifacts    struct{ Paths []string }
	}
}

func readYAML(t *testing.T, into any, elem ...string) string {
	t.Helper()
	data, err := os.ReadFile(inSource(t, append([]string{"contrib"}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%v: %v", elem, err)
	}
	return string(data)
}

func githubAction(t *testing.T) action {
	t.Helper()
	var a action
	readYAML(t, &a, "github-action", "action.yml")
	return a
}

func gitlabJob(t *testing.T) gitlabFile {
	t.Helper()
	var f gitlabFile
	readYAML(t, &f, "gitlab", "satchel.gitlab-ci.yml")
	return f
}

// bashReads lets bash look at a script without running it.
func bashReads(t *testing.T, what, script string) {
	t.Helper()
	cmd := exec.Command(program(t, "bash"), "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", what, err, out)
	}
}

// loose finds a variable that a shell would split into words or expand as a pattern.
var loose = regexp.MustCompile(`(^|[^"{\\=$])\$(\{?[A-Za-z_]|\()`)

// checkScript holds a script to what makes it safe: nothing is put into its text, and every variable is in quotes.
func checkScript(t *testing.T, what, script string) {
	t.Helper()
	bashReads(t, what, script)
	if strings.Contains(script, "${{") {
		t.Errorf("%s: an expression in a script is code of whoever sets its value", what)
	}
	for i, line := range strings.Split(script, "\n") {
		outside := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(line, `""`)
		if loose.MatchString(outside) {
			t.Errorf("%s, line %d: a variable without quotes: %s", what, i+1, line)
		}
		if regexp.MustCompile(`\b(eval|curl|wget|sudo)\b|--password[= ]`).MatchString(line) {
			t.Errorf("%s, line %d: %s", what, i+1, line)
		}
	}
}

func TestCIFilesAreSound(t *testing.T) {
	t.Parallel()
	a := githubAction(t)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" || len(a.Runs.Steps) < 8 {
		t.Errorf("%+v lacks what an action must have", a)
	}
	for name, in := range a.Inputs {
		if in.Description == "" {
			t.Errorf("input %s is not explained", name)
		}
	}
	ids := map[string]bool{}
	for _, s := range a.Runs.Steps {
		ids[s.ID] = true
		switch {
		case s.Name == "" || (s.Run == "") == (s.Uses == ""):
			t.Errorf("%+v: a step has a name, and either runs or uses something", s)
		case s.Run != "":
			if s.Shell != "bash" {
				t.Errorf("%s: its shell is %q; a composite action must name one", s.Name, s.Shell)
			}
			checkScript(t, s.Name, s.Run)
		case !regexp.MustCompile(`^actions/[a-z-]+@v\d+$`).MatchString(s.Uses):
			t.Errorf("%s uses %s", s.Name, s.Uses)
		}
	}
	for name, out := range a.Outputs {
		m := regexp.MustCompile(`^\$\{\{ steps\.([a-z]+)\.outputs\.`).FindStringSubmatch(out.Value)
		if m == nil || !ids[m[1]] || out.Description == "" {
			t.Errorf("output %s: %+v", name, out)
		}
	}
	for i, script := range append(gitlabJob(t).Satchel.Script, gitlabJob(t).Satchel.AfterScript...) {
		checkScript(t, fmt.Sprintf("GitLab, script %d", i+1), script)
	}
}

// A githubRun stands in for GitHub's runner.
type githubRun struct {
	action  action
	dir     string // the workspace
	temp    string
	inputs  map[string]string
	outputs map[string]string // STEP.NAME
	log     strings.Builder
}

// expression gives the value of what stands in ${{ }}: inputs and outputs of steps, and where the action is.
func (r *githubRun) expand(t *testing.T, text string) string {
	t.Helper()
	return regexp.MustCompile(`\$\{\{ ([^}]*) \}\}`).ReplaceAllStringFunc(text, func(m string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(m, "${{ "), " }}")
		if input, ok := strings.CutPrefix(name, "inputs."); ok {
			if v, given := r.inputs[input]; given {
				return v
			}
			if in, known := r.action.Inputs[input]; known {
				return in.Default
			}
		}
		if name == "github.action_path" {
			return inSource(t, "contrib", "github-action")
		}
		if m := regexp.MustCompile(`^steps\.([a-z]+)\.outputs\.([a-z0-9]+)$`).FindStringSubmatch(name); m != nil {
			return r.outputs[m[1]+"."+m[2]]
		}
		t.Fatalf("the expression %q is not known", name)
		return ""
	})
}

// run does every step that runs a script, as GitHub does, up to the first that fails.
func (r *githubRun) run(t *testing.T) error {
	t.Helper()
	for i, s := range r.action.Runs.Steps {
		if s.Uses != "" {
			continue // those of others; nothing of ours depends on what they do
		}
		script, output := filepath.Join(r.temp, fmt.Sprintf("step%d.sh", i)), filepath.Join(r.temp, fmt.Sprintf("output%d", i))
		for name, content := range map[string]string{script: s.Run, output: ""} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(context.Background(), program(t, "bash"), "--noprofile", "--norc", "-eo", "pipefail", script)
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+output, "SATCHEL_HOME="+filepath.Join(r.temp, "home"))
		for _, key := range slices.Sorted(maps.Keys(s.Env)) {
			cmd.Env = append(cmd.Env, key+"="+r.expand(t, s.Env[key]))
		}
		said, err := cmd.CombinedOutput()
		fmt.Fprintf(&r.log, "== %s\n%s", s.Name, said)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		r.keep(t, s.ID, output)
	}
	return nil
}

func (r *githubRun) keep(t *testing.T, id, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		r.outputs[id+"."+name] = value
	}
}

func newGithubRun(t *testing.T, inputs map[string]string) *githubRun {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the steps are for the bash of CI machines")
	}
	r := &githubRun{action: githubAction(t), dir: t.TempDir(), temp: t.TempDir(), inputs: inputs, outputs: map[string]string{}}
	if r.inputs["satchel"] == "" {
		r.inputs["satchel"] = filepath.Join(bin, "satchel")
	}
	return r
}

// extension writes a small extension that lint has nothing to say against.
func extension(t *testing.T, dir string) {
	t.Helper()
	files := map[string]string{
		"manifest.json": `{
  "manifest_version": "0.3", "name": "ci-notes", "version": "1.0.0", "description": "Keeps notes.", "author": {"name": "Ada"}, "license": "MIT",
  "server": {"type": "node", "entry_point": "server/index.js", "mcp_config": {"command": "node", "args": ["${__dirname}/server/index.js"]}}
}
`,
		"server/index.js": "process.stdin.resume();\n",
		"LICENSE":         "MIT License\n",
	}
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// keyPair gives a real key and certificate, the key under a password.
func keyPair(t *testing.T) (certificate, key string) {
	t.Helper()
	pki := testsupport.NewPKI(t)
	pki.SelfSigned("ci", "P-256", "code")
	pki.OpenSSL("pkcs8", "-topk8", "-in", "ci.key", "-out", "locked.key", "-passout", "pass:correct horse", "-v2", "aes-256-cbc")
	for name, text := range map[string]*string{"ci.crt": &certificate, "locked.key": &key} {
		data, err := os.ReadFile(pki.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		*text = string(data)
	}
	return certificate, key
}

// TestActionRuns runs the action's own scripts: a bundle of a folder with an awkward name, which is a link, without a key.
func TestActionRuns(t *testing.T) {
	t.Parallel()
	awkward := "my ext; touch pwned; $(touch pwned)"
	inputs := map[string]string{"directory": awkward, "output": "dist/of $(touch pwned)/out.mcpb"}
	r := newGithubRun(t, inputs)
	extension(t, filepath.Join(r.dir, "real"))
	if err := os.Symlink("real", filepath.Join(r.dir, awkward)); err != nil {
		t.Fatal(err)
	}
	if err := r.run(t); err != nil {
		t.Fatalf("%v\n%s", err, r.log.String())
	}
	bundle := filepath.Join(r.dir, r.outputs["pack.bundle"])
	archive, err := zip.OpenReader(bundle)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log.String())
	}
	defer archive.Close()
	if len(archive.File) != 3 || r.outputs["sign.signed"] != "false" || len(r.outputs["digest.sha256"]) != 64 {
		t.Errorf("%d files, outputs %v\n%s", len(archive.File), r.outputs, r.log.String())
	}
	checkNothingLeft(t, r)
}

func TestActionSigns(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	r := newGithubRun(t, map[string]string{"directory": "ext", "signing-certificate": certificate, "signing-key": key, "signing-key-password": "correct horse"})
	begin := exec.Command(filepath.Join(bin, "satchel"), "init", "--template", "python", "-y", filepath.Join(r.dir, "ext"))
	if out, err := begin.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := r.run(t); err != nil {
		t.Fatalf("%v\n%s", err, r.log.String())
	}
	if r.outputs["sign.signed"] != "true" || !strings.Contains(r.log.String(), "trusted") {
		t.Errorf("%v\n%s", r.outputs, r.log.String())
	}
	for _, secret := range []string{"correct horse", "PRIVATE KEY"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
	checkNothingLeft(t, r)

	r.inputs["signing-key-password"] = "wrong"
	r.outputs = map[string]string{}
	if err := r.run(t); err == nil || !strings.Contains(err.Error(), "Sign") || r.outputs["sign.signed"] != "" {
		t.Errorf("with a wrong password: %v, %v", err, r.outputs)
	}
	checkNothingLeft(t, r)
}

// checkNothingLeft wants no key on the disk, and that no name was run as a command.
func checkNothingLeft(t *testing.T, r *githubRun) {
	t.Helper()
	for _, root := range []string{r.dir, r.temp} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Base(filepath.Dir(path)) == "bin" {
				return err // satchel itself has these words
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte("PRIVATE KEY")) || bytes.Contains(data, []byte("correct horse")) || d.Name() == "pwned" {
				t.Errorf("%s was left", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestActionStops at what an author must not publish.
func TestActionStops(t *testing.T) {
	t.Parallel()
	for step, spoil := range map[string]func(dir string) error{
		"Validate": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"manifest_version": "0.3"}`), 0o644)
		},
		"Lint": func(dir string) error {
			key := "ghp_" + "q7Rk2ZtLw9XcVb4NmPs8" + "DyFgHj1TaEu6oWiM" // in parts, so that nobody takes it for a real one
			return os.WriteFile(filepath.Join(dir, "server", "index.js"), []byte("const token = \""+key+"\";\n"), 0o644)
		},
		"Pack": func(dir string) error { return os.Symlink("/etc/hostname", filepath.Join(dir, "link")) },
	} {
		r := newGithubRun(t, map[string]string{"directory": "ext"})
		extension(t, filepath.Join(r.dir, "ext"))
		if err := spoil(filepath.Join(r.dir, "ext")); err != nil {
			t.Fatal(err)
		}
		if err := r.run(t); err == nil || !strings.HasPrefix(err.Error(), step) && step != "Pack" {
			t.Errorf("%s: %v\n%s", step, err, r.log.String())
		}
	}
	r := newGithubRun(t, map[string]string{"directory": "ext", "output": "a\nsigned=true"})
	extension(t, filepath.Join(r.dir, "ext"))
	if err := r.run(t); err == nil || r.outputs["pack.bundle"] != "" {
		t.Errorf("a line break in the output's name: %v, %v", err, r.outputs)
	}
}

// TestGitLabRuns runs the job's scripts, each in a shell of its own, as strict as the job makes it.
func TestGitLabRuns(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the scripts are for the shell of CI machines")
	}
	f := gitlabJob(t)
	dir, temp := t.TempDir(), t.TempDir()
	extension(t, filepath.Join(dir, "real"))
	if err := os.Symlink("real", filepath.Join(dir, "ext")); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"CI_PROJECT_DIR": dir, "CI_JOB_ID": "7", "TMPDIR": temp, "SATCHEL_HOME": filepath.Join(temp, "home")}
	maps.Copy(vars, f.Variables)
	vars["SATCHEL_DIRECTORY"], vars["SATCHEL_PROGRAM"] = "ext", filepath.Join(bin, "satchel")
	certificate, key := keyPair(t)
	for name, text := range map[string]string{"SATCHEL_CERTIFICATE": certificate, "SATCHEL_KEY": key, "SATCHEL_KEY_PASSWORD": "correct horse"} {
		vars[name] = filepath.Join(temp, name)
		if err := os.WriteFile(vars[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := os.Environ()
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, name+"="+vars[name])
	}
	var log strings.Builder
	for _, script := range append(f.Satchel.Script, strings.Join(f.Satchel.AfterScript, "\n")) {
		cmd := exec.Command("/bin/sh", "-e")
		cmd.Dir, cmd.Env, cmd.Stdin = dir, env, strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		log.Write(out)
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, log.String())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, f.Variables["SATCHEL_OUTPUT"])); err != nil || !strings.Contains(log.String(), "trusted") {
		t.Errorf("%v\n%s", err, log.String())
	}
	checkNothingLeft(t, &githubRun{dir: dir, temp: temp})
	if left, err := filepath.Glob(filepath.Join(temp, "satchel-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
