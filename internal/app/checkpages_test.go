package app

import (
	"path/filepath"
	"slices"
	"testing"
)

// Pages are for people: no key and no machine token opens one, and check says so.
func TestCheckSaysWhoOpensPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "portreeve.yaml"), "environment: test\njwt: {secret: \"{{env.S}}\"}\nportal: {}\n")
	r, err := Check(Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: vars(map[string]string{"S": "0123456789abcdef0123456789abcdef"})})
	if err != nil || !r.OK {
		t.Fatal(err, r)
	}
	opened := map[string][]string{}
	for _, route := range r.Routes {
		if slices.Contains(route.Methods, "GET") {
			opened[route.Path] = route.Providers
		}
	}
	for _, page := range []string{"/", "/keys", "/users/:id", "/audit"} {
		if got := opened[page]; !slices.Contains(got, "jwt") || slices.Contains(got, "apiKey") || slices.Contains(got, "machine") {
			t.Errorf("%s is opened by %v", page, got)
		}
	}
	if got := opened["/tenant/api-keys"]; !slices.Contains(got, "apiKey") {
		t.Errorf("the operation behind a page is opened by %v", got)
	}
}
