package inside

import (
	"reflect"
	"strings"
	"testing"

	"satchel/internal/sandbox/seccomp"
)

func someOrder() Order {
	return Order{
		Build: true, Path: "/usr/bin/node", Argv: []string{"node", "", "a\x00b\xff"}, Env: []string{"KEY=s3cret"}, Dir: "/d", UID: 1000, GID: -1, Doors: []int{3128, 1080},
		Root:   []Step{{Kind: StepBind, Path: "/x", From: "/y", Write: true, Dev: 1 << 63, Ino: 1<<64 - 1, Size: -5, Hide: []string{"a", "b"}}, {}},
		Rules:  []Rule{{Path: "/x", Execute: true}, {Path: "/y", List: true, Maybe: true, Here: true}},
		Filter: []seccomp.Instruction{{Code: 0x15, K: 1<<32 - 1}}, Watch: true, Limits: []Limit{{Resource: 7, Value: 1 << 40}},
	}
}

// TestEncode: what is written is read as it was, whatever is in it; and what is cut or changed is noticed.
func TestEncode(t *testing.T) {
	t.Parallel()
	for _, want := range []Order{{}, someOrder()} {
		text := want.Encode()
		got, err := decode(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for n := range text {
			if _, err := decode(text[:n]); err == nil {
				t.Fatalf("cut at %d of %d it is read", n, len(text))
			}
		}
		if _, err := decode(append(text, 0)); err == nil {
			t.Error("with something behind it it is read")
		}
	}
	other := []byte(strings.Replace(string(someOrder().Encode()), "Build", "Bulid", 1))
	if _, err := decode(other); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("an order of another version: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(someOrder().Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decode(data)
		if err != nil {
			return
		}
		if again, err := decode(o.Encode()); err != nil || !reflect.DeepEqual(again, o) {
			t.Errorf("%+v became %+v, %v", o, again, err)
		}
	})
}
