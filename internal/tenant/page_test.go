package tenant

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/input"
)

func TestAPageOfUsersHasEachOnesRoles(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		want := map[string][]string{}
		for i := range 7 {
			roles := []string{"user", "editor", "admin"}[:i%4%3]
			u := r.add(t, "acme", NewUser{Email: fmt.Sprintf("u%d@example.com", i), Roles: roles})
			r.add(t, "beta", NewUser{ID: u.ID, Email: u.Email, Roles: []string{"viewer"}})
			want[u.Email] = distinct(roles)
		}
		got := map[string][]string{}
		for offset := 0; offset < 7; offset += 3 {
			page, total, err := r.svc.Users(t.Context(), "acme", input.Page{Limit: 3, Offset: offset})
			if err != nil || total != 7 {
				t.Fatal(total, err)
			}
			for _, u := range page {
				got[u.Email] = u.Roles
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
