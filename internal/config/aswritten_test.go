package config

import "testing"

// A path shows what the reader has written: no index where one value stands
// for a list of one.
func TestPathsAreShownAsWritten(t *testing.T) {
	type item struct {
		Name string       `json:"name" conf:"required"`
		Tags List[string] `json:"tags"`
	}
	type file struct {
		Items List[item] `json:"items"`
	}
	for _, test := range []struct{ name, yaml, path, want string }{
		{"one for a list", "items: {name: a}", "items[0].name", "items.name"},
		{"a list of one", "items: [{name: a}]", "items[0].name", "items[0].name"},
		{"one within a list", "items: [{name: a, tags: x}]", "items[0].tags[0]", "items[0].tags"},
		{"a missing key of one", "items: {tags: x}", "items[0].name", "items.name"},
		{"a missing key", "items: []", "other.thing", "other.thing"},
		{"beyond the list", "items: [{name: a}]", "items[4].name", "items[4].name"},
		{"a key that is no word", "items: {name: a}", `more["/login"]`, `more["/login"]`},
		{"the root", "items: {name: a}", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var f file
			d := Decode([]byte(test.yaml), &f, Options{Name: "f.yaml"})
			if got := d.problem(test.path, "x").Path; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
