package tenant

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// from is who acts upon a user as it stood.
func from(by By, u User) By {
	by.If = input.MatchOf(&request.View{Header: request.Header{{Name: "If-Match", Value: View(u).tag()}}})
	return by
}

func TestOneOfManyChangesAUserFromOneState(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.add(t, "main", NewUser{Email: "ann@example.com", Roles: []string{"viewer"}}).ID
		was, err := r.svc.User(t.Context(), "main", id)
		if err != nil {
			t.Fatal(err)
		}
		var done atomic.Int64
		storetest.Callers(t, 16, func(i int) error {
			p, yes, name := Patch{}, true, fmt.Sprint("Ann ", i)
			switch i % 3 { // whatever of it somebody changes
			case 0:
				p.Name = &name
			case 1:
				p.Roles = &[]string{"viewer", name}
			case 2:
				p.Disabled = &yes
			}
			_, err := r.svc.PatchUser(t.Context(), from(host(), was), "main", id, p)
			switch {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, input.ErrChanged):
				return err
			}
			return nil
		})
		if done.Load() != 1 {
			t.Errorf("%d changed it", done.Load())
		}
		if err := r.svc.DeleteUser(t.Context(), from(host(), was), "main", id); !errors.Is(err, input.ErrChanged) {
			t.Errorf("deleting what was changed: %v", err)
		}
		now, err := r.svc.User(t.Context(), "main", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.svc.DeleteUser(t.Context(), from(host(), now), "main", id); err != nil {
			t.Error(err)
		}
	})
}
