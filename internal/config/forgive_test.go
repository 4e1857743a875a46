package config

import "testing"

// What is forgiven no longer makes the document fail; everything else does.
func TestForgive(t *testing.T) {
	type route struct {
		Path   string `json:"path" conf:"required"`
		Method string `json:"method" conf:"required"`
	}
	var r route
	d := Decode([]byte("{}"), &r, Options{Name: "fragment.json"})
	if !d.Failed() {
		t.Fatal("a document without its required keys does not fail")
	}
	d.Forgive("path")
	if !d.Failed() || len(d.Problems()) != 1 {
		t.Errorf("after the first: failed %t, %v", d.Failed(), d.Problems())
	}
	d.Forgive("method")
	if d.Failed() || len(d.Problems()) != 0 {
		t.Errorf("after both: failed %t, %v", d.Failed(), d.Problems())
	}
}
