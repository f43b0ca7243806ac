package inside

import (
	"reflect"
	"testing"
)

func TestShimOrder(t *testing.T) {
	want := ShimOrder{4096, 7, []string{"/usr/bin/sandbox-exec", "-p", "(version 1)\n", "/a b", "", "-x"}}
	if got, err := shimOrder(want.Args()); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, args := range [][]string{
		nil, {ShimName}, {ShimName, "1", "2"}, {ShimName, "x", "2", "/a"}, {ShimName, "1", "-2", "/a"}, {ShimName, "1", "99999999999999999999", "/a"},
		{"satchel", "1", "2", "/a"},
	} {
		if o, err := shimOrder(args); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
}
