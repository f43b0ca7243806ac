package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLearnedGrantsSuffice: what real servers are found to need is what they need. Each is installed with nothing granted,
// learned by one of its tools, granted what was proposed, and then works; what it wrote to learn is not there.
func TestLearnedGrantsSuffice(t *testing.T) {
	t.Parallel()
	h := realHome(t)
	mine := filepath.Join(h.dir, "mine")
	for name, c := range map[string]struct {
		call
		proposes []string
		makes    string
	}{
		"filesystem": {call{"write_file", args{"path": filepath.Join(mine, "learned.txt"), "content": "Hello"}, "Success"}, []string{"write:" + mine}, "learned.txt"},
		"memory": {
			call{"create_entities", args{"entities": []args{{"name": "Ada", "entityType": "person", "observations": []string{"wrote"}}}}, "Ada"},
			[]string{"write:" + mine}, "memory.jsonl",
		},
		"child": {call{"log", args{"folder": mine}, "The first one"}, []string{"read:" + filepath.Join(mine, ".git"), "run:git"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			servers := realServers(t, h)
			r := servers[slices.IndexFunc(servers, func(r real) bool { return r.name == name })]
			p := r.part(t, h)
			bundle := filepath.Join(h.work, name+".mcpb")
			h.run(t, "satchel", "pack", p.Dir, bundle)
			install := []string{"install", bundle, "--yes"}
			for _, answer := range r.config {
				install = append(install, "--config", answer)
			}
			h.run(t, "satchel", install...)
			h.try(t, "satchel", "permissions", name, "--revoke", "write:"+mine)
			h.try(t, "satchel", "permissions", name, "--revoke", "read:"+mine)
			input, err := json.Marshal(c.args)
			if err != nil {
				t.Fatal(err)
			}
			if res := h.try(t, "satchel", "call", name, c.tool, string(input)); res.code == 0 && strings.Contains(res.stdout, c.want) {
				t.Fatalf("it works without a grant: %s", res.stdout)
			}
			var learned struct {
				Items   []struct{ Item string }
				Command []string
			}
			if err := json.Unmarshal([]byte(h.run(t, "satchel", "learn", name, c.tool, string(input), "--json")), &learned); err != nil {
				t.Fatal(err)
			}
			var words []string
			for _, i := range learned.Items {
				words = append(words, i.Item)
			}
			if !slices.Equal(words, c.proposes) {
				t.Errorf("proposed %q, not %q", words, c.proposes)
			}
			if made := filepath.Join(mine, c.makes); c.makes != "" && there(made) {
				t.Errorf("%s is there", made)
			}
			h.run(t, learned.Command[0], learned.Command[1:]...)
			if out := h.run(t, "satchel", "call", name, c.tool, string(input)); !strings.Contains(out, c.want) {
				t.Errorf("with that it says %s", out)
			}
			if made := filepath.Join(mine, c.makes); c.makes != "" && !there(made) {
				t.Errorf("%s is not there", made)
			}
		})
	}
}

func there(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}
