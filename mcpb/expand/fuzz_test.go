package expand

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"satchel/mcpb/manifest"
)

const secretValue = "\u2603the-other-secret\u2603"

// FuzzExpand holds that an answer is a value and nothing more: whatever it is, it stands literally where its variable
// stood, and changes nothing else; above all it cannot bring in another option's secret.
func FuzzExpand(f *testing.F) {
	for _, answer := range []string{"", "plain", "${user_config.secret}", "${HOME}", "$&$$$1", "${", "}", "user_config.secret}", "a\nb", "--flag", "../..", "\xff"} {
		f.Add("--k=${user_config.a}", answer)
		f.Add("$${user_config.a}{user_config.secret}", answer)
		f.Add("${user_config.${user_config.a}}${__dirname}", answer)
	}
	f.Fuzz(func(t *testing.T, template, answer string) {
		m := fuzzManifest(template)
		cmd, err := Expand(m, fuzzInput(answer))
		again, err2 := Expand(m, fuzzInput(answer))
		if !reflect.DeepEqual(cmd, again) || (err == nil) != (err2 == nil) {
			t.Fatalf("not the same twice: %+v, %+v", cmd, again)
		}
		if err != nil {
			return
		}
		plain, err := Expand(m, fuzzInput(""))
		if err != nil {
			t.Fatalf("refused with an empty answer only: %v", err)
		}
		const mark = "\u2602"
		marked, err := Expand(m, fuzzInput(mark))
		if err != nil {
			t.Fatalf("refused with another answer only: %v", err)
		}
		if len(cmd.Argv) != len(plain.Argv) || len(cmd.Env) != len(plain.Env) || len(cmd.Argv) > 4 {
			t.Fatalf("the answer changed the number of arguments: %q, %q", cmd.Argv, plain.Argv)
		}
		if strings.Contains(template+answer, mark) {
			return // then the mark does not tell where the answer stands
		}
		for i := range cmd.Argv {
			compare(t, fmt.Sprint("argument ", i), cmd.Argv[i], marked.Argv[i], mark, answer)
		}
		compare(t, "environment", cmd.Env["E"], marked.Env["E"], mark, answer)
		shown := fmt.Sprint(cmd.Shown, cmd.ShownEnv)
		if strings.Contains(shown, secretValue) && !strings.Contains(template+answer, secretValue) {
			t.Fatalf("the secret is shown: %s", shown)
		}
	})
}

// compare checks that a text is what it is with another answer, the answers exchanged.
func compare(t *testing.T, what, got, marked, mark, answer string) {
	t.Helper()
	if want := strings.ReplaceAll(marked, mark, answer); got != want {
		t.Fatalf("%s is %q, want %q", what, got, want)
	}
}

func fuzzManifest(template string) *manifest.Manifest {
	a := manifest.Option{Key: "a", Type: manifest.String, Title: "A"}
	secret := manifest.Option{Key: "secret", Type: manifest.String, Title: "Secret", Sensitive: true}
	m := server("node", []string{"fixed", template, "last"}, a, secret)
	m.Server.MCPConfig.Env = map[string]string{"E": template}
	return m
}

func fuzzInput(answer string) Input {
	return linux(map[string]any{"a": answer, "secret": secretValue})
}

// FuzzProgram holds that no text leads a relative command, or one below ${__dirname}, out of the bundle.
func FuzzProgram(f *testing.F) {
	for _, s := range []string{"x", "../x", "a/../../x", `..\x`, "/x", `C:x`, "//h/s", "./.", "a//b", "..", "x\x00"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, command string, onWindows bool) {
		in := linux(nil)
		if onWindows {
			in = windows(nil)
		}
		for _, prefix := range []string{"", "${__dirname}/", `${__dirname}\`} {
			m := server(prefix+command, nil)
			m.Server.Type = manifest.Binary
			cmd, err := Expand(m, in)
			if err != nil {
				continue
			}
			got := in.slashes(cmd.Argv[0])
			below := strings.HasPrefix(got, in.slashes(in.Dirs.Extension)+"/")
			stays := prefix == "" && (in.isAbs(command) || !strings.Contains(got, "/")) || strings.Contains(command, "${") || prefix == `${__dirname}\` && !onWindows
			if !below && !stays || below && strings.Contains(got+"/", "/../") {
				t.Fatalf("%q became %q", prefix+command, cmd.Argv[0])
			}
		}
	})
}
