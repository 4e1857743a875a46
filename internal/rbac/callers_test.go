package rbac

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const callers = 16

// counted runs fn by many callers at once and counts what they were answered.
func counted(t *testing.T, fn func(i int) (int, string, error)) map[int]int64 {
	t.Helper()
	var by [600]atomic.Int64
	storetest.Callers(t, callers, func(i int) error {
		status, _, err := fn(i)
		by[status].Add(1)
		return err
	})
	out := map[int]int64{}
	for status := range by {
		if n := by[status].Load(); n > 0 {
			out[status] = n
		}
	}
	return out
}

func TestOneOfManyMakesARole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		admin := h.admin()
		got := counted(t, func(int) (int, string, error) {
			return h.try(admin, "POST /rbac/roles", `{"name":"x","permissions":["docs:read"]}`)
		})
		if got[201] != 1 || got[409] != callers-1 {
			t.Errorf("answers: %v", got)
		}
	})
}

// Each edit alone is fine, and any two of them that point at each other are a
// circle.
func TestEditsAtOnceNeverMakeACircle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		for i := range 4 {
			h.role(fmt.Sprintf("r%d", i), "")
		}
		admin := h.admin()
		got := counted(t, func(i int) (int, string, error) {
			return h.try(admin, fmt.Sprintf("PUT /rbac/roles/r%d", i%4), fmt.Sprintf(`{"parentRole":"r%d"}`, (i+1)%4))
		})
		if got[200] < 3 || got[200]+got[400] != callers || got[400] == 0 {
			t.Errorf("answers: %v", got)
		}
		_ = db.Read(t.Context(), func(tx *store.Tx) error {
			w := must(h.rbac.world(tx, "main"))
			for i := range 4 {
				if _, issue := w.tree.climb(fmt.Sprintf("r%d", i)); issue != "" {
					t.Errorf("r%d: %s", i, issue)
				}
			}
			return nil
		})
	})
}

// A role is assigned or removed, never both.
func TestARoleIsNotAssignedWhileItGoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.role("x", "", "docs:read")
		admin := h.admin()
		got := counted(t, func(i int) (int, string, error) {
			if i%2 == 0 {
				return h.try(admin, "DELETE /rbac/roles/x", "")
			}
			return h.try(admin, "POST /rbac/assign", fmt.Sprintf(`{"userId":"u%d","role":"x"}`, i))
		})
		switch {
		case got[204] == 1 && got[404] == callers-1: // it went first
		case got[204] == 0 && got[200] == callers/2 && got[409] == callers/2: // it was assigned first
		default:
			t.Errorf("answers: %v", got)
		}
	})
}

// One subject gets one row, however many assign to it at once.
func TestASubjectGetsOneRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		admin := h.admin()
		roles := []string{"admin", "member", "viewer", "user"}
		got := counted(t, func(i int) (int, string, error) {
			return h.try(admin, "POST /rbac/assign", fmt.Sprintf(`{"userId":"new","role":"%s"}`, roles[i%4]))
		})
		if got[200] != callers {
			t.Errorf("answers: %v", got)
		}
		if body := h.want(200, admin, "POST /rbac/assign", `{"userId":"new","role":"user"}`); member(t, body, "roles") != `["admin","member","user","viewer"]` {
			t.Error(body)
		}
	})
}
