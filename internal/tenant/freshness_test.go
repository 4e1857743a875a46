package tenant

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// P7: whatever another node changes, in whatever order, this one answers by it as
// soon as its feed has seen it: what it remembers equals what it would read.
func TestWhatAnotherNodeChangesIsHonouredAtOnce(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteURL, "postgres": storetest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := url(t)
			here := newRig(t, storetest.Open(t, at), "main")
			there := newRig(t, storetest.Open(t, at), "main")
			there.svc.d.Audit = here.svc.d.Audit // one master key
			round := 0
			rapid.Check(t, func(t *rapid.T) {
				round++
				w := newWorld(t, here, there, round)
				for range rapid.IntRange(2, 5).Draw(t, "steps") {
					w.change(t)
					for range 3 {
						w.compare(t, rapid.IntRange(0, len(w.callers)-1).Draw(t, "caller"), rapid.SampledFrom(w.claims()).Draw(t, "claim"))
					}
				}
			})
		})
	}
}

// world is two tenants and the callers who may be users of them.
type world struct {
	here, there *rig
	tenants     [2]string
	emails      [2]string
	callers     []*principal.Principal
}

func newWorld(t *rapid.T, here, there *rig, round int) *world {
	w := &world{here: here, there: there}
	for i := range w.tenants {
		w.tenants[i] = fmt.Sprintf("t%d-%d", round, i)
		w.emails[i] = fmt.Sprintf("user%d.%d@example.com", i, round)
		w.must(t, second(there.svc.Create(t.Context(), host(), NewTenant{ID: w.tenants[i]})))
	}
	subject := func(i int) string { return fmt.Sprintf("s%d-%d", i, round) }
	w.callers = []*principal.Principal{
		person("entra", subject(0), w.emails[0]), person("entra", subject(1), w.emails[0]),
		person("jwt", subject(0), w.emails[0]), person("entra", subject(2), w.emails[1]), service(subject(3)),
	}
	return w
}

func (w *world) must(t *rapid.T, err error) {
	if err != nil && !strings.HasSuffix(code(err), "_taken") && code(err) != "validation_failed" {
		t.Fatal(err)
	}
}

// change does something on the other node.
func (w *world) change(t *rapid.T) {
	ctx, svc, tenant := t.Context(), w.there.svc, rapid.SampledFrom(w.tenants[:]).Draw(t, "tenant")
	if rapid.IntRange(0, 5).Draw(t, "about the tenant") == 0 {
		w.must(t, svc.SetDisabled(ctx, host(), tenant, rapid.Bool().Draw(t, "disabled")))
		return
	}
	users, _, err := svc.Users(ctx, tenant, page(100))
	if err != nil {
		t.Fatal(err)
	}
	if len(users) == 0 || rapid.IntRange(0, 2).Draw(t, "add") == 0 {
		n := NewUser{Email: rapid.SampledFrom(w.emails[:]).Draw(t, "email"), Roles: w.roles(t)}
		if rapid.IntRange(0, 3).Draw(t, "service") == 0 {
			n = NewUser{ServiceToken: w.callers[4].CommonName, Roles: w.roles(t)}
		}
		w.must(t, second(svc.AddUser(ctx, host(), tenant, n)))
		return
	}
	u := rapid.SampledFrom(users).Draw(t, "user")
	switch rapid.SampledFrom([]string{"disable", "enable", "roles", "email", "relink", "delete"}).Draw(t, "what") {
	case "disable":
		w.must(t, second(svc.SetUserDisabled(ctx, host(), tenant, u.ID, true)))
	case "enable":
		w.must(t, second(svc.SetUserDisabled(ctx, host(), tenant, u.ID, false)))
	case "roles":
		w.must(t, second(svc.PatchUser(ctx, host(), tenant, u.ID, Patch{Roles: ptr(w.roles(t))})))
	case "email":
		if u.ServiceToken == "" {
			w.must(t, second(svc.PatchUser(ctx, host(), tenant, u.ID, Patch{Email: ptr(rapid.SampledFrom(w.emails[:]).Draw(t, "to"))})))
		}
	case "relink":
		w.must(t, second(svc.Relink(ctx, host(), tenant, u.ID)))
	case "delete":
		w.must(t, svc.DeleteUser(ctx, host(), tenant, u.ID))
	}
}

func (w *world) roles(t *rapid.T) []string {
	return rapid.SliceOfDistinct(rapid.SampledFrom([]string{"admin", "member", "viewer"}), func(s string) string { return s }).Draw(t, "roles")
}

// claims are what a credential may say about its tenant.
func (w *world) claims() []string { return []string{"", w.tenants[0], w.tenants[1]} }

// compare asks this node about a caller, and reads what is stored.
func (w *world) compare(t *rapid.T, caller int, claim string) {
	who := w.callers[caller]
	if err := w.here.feed.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, f := ask(w.here.dir, who, claim, "main")
	if f != nil {
		t.Fatal(f)
	}
	var want *policy.Known
	if err := w.here.db.Read(t.Context(), func(tx *store.Tx) error {
		r, err := w.here.dir.look(tx, question{who: who, claim: claim, standard: "main"})
		if err == nil {
			want = r.known
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want == nil || shown(got) != shown(want) {
		t.Fatalf("caller %d with claim %q: remembered %s, stored %s", caller, claim, shown(got), shown(want))
	}
}

func shown(k *policy.Known) string {
	if k == nil {
		return "not bound yet"
	}
	return fmt.Sprintf("%s %s %v %s", k.Tenant, k.UserID, k.Roles, refusal(k))
}
