package gateway

import (
	"slices"
	"testing"

	"github.com/portreeve/portreeve/internal/limit"
)

// check prints the sites as the file lists them, each once, every time.
func TestSitesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	named := []*Site{
		{Name: "z", Hosts: []string{"z.example.com", "*.z.example.com"}},
		{Name: "a", Hosts: []string{"a.example.com"}},
		{Name: "m", Hosts: []string{"*.example.org"}},
	}
	s := NewSnapshot(&Site{Name: "default"}, named)
	for range 20 {
		var got []string
		s.Sites(func(site *Site) { got = append(got, site.Name) })
		if want := []string{"default", "z", "a", "m"}; !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// What a limit counts under has nothing to do with where its route stands: a
// route that is added before it must not set the counters back.
func TestLimitsKeepTheirCounters(t *testing.T) {
	t.Parallel()
	rule := limit.RuleConfig{WindowMs: 1000, Max: 5}
	var before, after, other limits
	before.add("default rateLimit of /a GET", "rateLimit of routes[0] /a", rule)
	after.add("default rateLimit of /a GET", "rateLimit of routes[7] /a", rule)
	other.add("default rateLimit of /b GET", "rateLimit of routes[0] /b", rule)
	if before.address[0].id != after.address[0].id {
		t.Error("another place in the file counts anew")
	}
	if before.address[0].id == other.address[0].id {
		t.Error("two routes share a counter")
	}
}
