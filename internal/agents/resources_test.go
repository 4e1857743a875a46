package agents

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/tenant"
)

// role asks as the gate does: as often as there is a job. It tells how many jobs
// there were.
func (h *house) role(who *principal.Principal, of, collection, id string) (role string, jobs int, f *fault.Error) {
	q := policy.DirectoryAsk{Who: who, Now: time.Now()}
	for ; jobs < 4; jobs++ {
		role, job, f := h.s.Find(q, of, collection, id)
		if job == nil {
			return role, jobs, f
		}
		v, err := job.Run(context.Background())
		q.Settled = append(q.Settled, park.Settled{Key: job.Key, Value: v, Err: err})
	}
	return "", jobs, fault.New(fault.Internal, "undecided", "")
}

func TestARouteAsksForARole(t *testing.T) {
	const routes = `routes: [{path: /run/:id, method: post, response: ran, resource: {collection: agents, id: "{{params.id}}", role: admin}}]`
	eachOn(t, on{Tenant: "main", Routes: routes}, func(t *testing.T, h *house) {
		alice, bob := h.token("alice@example.com"), h.token("bob@example.com", "role=admin")
		h.want(403, alice, "POST /run/a", "")
		h.want(201, alice, "POST /api/agents", `{"name":"a"}`)
		h.want(200, alice, "POST /run/a", "")
		h.want(401, "", "POST /run/a", "")
		h.want(403, bob, "POST /run/a", "")
		member := h.add(alice, "a", "bob@example.com", "viewer")
		h.want(403, bob, "POST /run/a", "")
		h.want(200, alice, "PATCH /api/agents/a/admins/"+member, `{"role":"admin"}`)
		h.want(200, bob, "POST /run/a", "")
		h.want(204, alice, "DELETE /api/agents/a/admins/"+member, "")
		h.want(403, bob, "POST /run/a", "")
		h.want(204, alice, "DELETE /api/agents/a", "")
		h.want(403, alice, "POST /run/a", "")
	})
}

func TestWhatIsRememberedOfRoles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		alice := person("alice@example.com").Who
		ask := func(want string, jobs int, of, collection, id string) {
			t.Helper()
			h.poll()
			if role, n, f := h.role(alice, of, collection, id); role != want || n != jobs || f != nil {
				t.Errorf("%s %s/%s: %q after %d jobs, %v; want %q after %d", of, collection, id, role, n, f, want, jobs)
			}
		}
		ask("", 1, "main", "agents", "a")
		ask("", 0, "main", "agents", "a")
		if _, err := h.s.Create(t.Context(), person("alice@example.com"), "main", First, draft("a")); err != nil {
			t.Fatal(err)
		}
		ask(Owner, 1, "main", "agents", "a")
		ask(Owner, 0, "main", "agents", "a")
		ask("", 1, "other", "agents", "a")
		ask("", 1, "main", "projects", "a")
		ask("", 0, "main", "agents", "../a")
		ask("", 0, "main", "Agents", "a")
		ask("", 0, "", "agents", "a")
		ask(Owner, 0, "main", "agents", "a")
		// The address becomes that of a row that is somebody else's.
		if _, err := h.users.AddUser(t.Context(), tenant.By{}, "main", tenant.NewUser{Email: "alice@example.com", Bound: tenant.Binding{Provider: "first", Subject: "she"}}); err != nil {
			t.Fatal(err)
		}
		ask("", 1, "main", "agents", "a")
		if _, err := h.s.Appoint(t.Context(), audit.Actor{Kind: audit.Host}, "main", First, "a", "bob@example.com", Owner); err != nil {
			t.Fatal(err)
		}
		bob := person("bob@example.com").Who
		if role, _, f := h.role(bob, "main", First, "a"); role != Owner || f != nil {
			t.Errorf("%q %v", role, f)
		}
	})
}

// A store that was not read lately refuses; so does one that fails.
func TestNothingIsSaidOfAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storeOf(t), on{Tenant: "main"})
	alice := person("alice@example.com").Who
	late := policy.DirectoryAsk{Who: alice, Now: time.Now().Add(2 * time.Hour)}
	if _, job, f := h.s.Find(late, "main", First, "a"); job != nil || f == nil || f.Kind != fault.Unavailable {
		t.Errorf("%v %v", job, f)
	}
	_ = h.db.Close()
	if _, _, f := h.role(alice, "main", First, "a"); f == nil || f.Kind != fault.Unavailable {
		t.Errorf("%v", f)
	}
	if _, _, f := New(Deps{}).Find(policy.DirectoryAsk{Who: alice}, "main", First, "a"); f == nil || f.Kind != fault.Unavailable {
		t.Errorf("%v", f)
	}
	// Whoever has no role on anything needs no store to be told so.
	if role, job, f := h.s.Find(policy.DirectoryAsk{Who: principal.Nobody()}, "main", First, "a"); role != "" || job != nil || f != nil {
		t.Errorf("%q %v %v", role, job, f)
	}
}

func TestTheTableIsBounded(t *testing.T) {
	t.Parallel()
	tab := newTable(16)
	who := person("a@example.com").Who
	for i := range 1000 {
		tab.put(&entry{place: place{who, "t", "agents", fmt.Sprint(i)}, role: Viewer, born: int64(i)})
	}
	n := 0
	for i := range tab.slots {
		if tab.slots[i].Load() != nil {
			n++
		}
	}
	if n != 16 || tab.get(place{who, "t", "agents", "999"}) == nil {
		t.Errorf("%d entries", n)
	}
	at := place{who, "t", "agents", "999"}
	tab.put(&entry{place: at, role: Owner, asOf: 9, slots: [3]change.Slot{}})
	tab.put(&entry{place: at, role: Viewer, asOf: 8})
	if e := tab.get(at); e.role != Owner {
		t.Errorf("an older reading won: %+v", e)
	}
}

func TestWhatIsAtHandCostsNothing(t *testing.T) { //nolint:paralleltest // it counts allocations
	h := newHouse(t, storeOf(t), on{Tenant: "main"})
	who := person("alice@example.com").Who
	_, _, _ = h.role(who, "main", First, "a")
	if n := testing.AllocsPerRun(100, func() { _, _, _ = h.s.Find(policy.DirectoryAsk{Who: who, Now: time.Now()}, "main", First, "a") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
