package gateway

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// check prints the sites as the file lists them, every time.
func TestSitesKeepTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	want := []string{"default"}
	var named []*Site
	for i := range 20 {
		host := fmt.Sprintf("s%d.example.com", i)
		named = append(named, &Site{Name: host, Hosts: []string{host, "*." + host}})
		want = append(want, host)
	}
	s := NewSnapshot(&Site{Name: "default"}, named)
	var got []string
	s.Sites(func(site *Site) { got = append(got, site.Name) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
