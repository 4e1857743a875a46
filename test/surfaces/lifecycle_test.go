package surfaces

import (
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

type madeKey struct {
	ID, Key           string
	PreviousExpiresAt time.Time
}

// asks is a caller that asks again and again.
func (w *world) asks(t *testing.T, method, path string, field string) func(status int) func() bool {
	return func(status int) func() bool {
		return func() bool { return w.Ask(t, method, path, "", field).Status == status }
	}
}

// wants sends a request that must come out so.
func (w *world) wants(t *testing.T, status int, method, path, body string, fields ...string) edge.Answer {
	t.Helper()
	a := w.Ask(t, method, path, body, fields...)
	if a.Status != status {
		t.Fatalf("%s %s %s: %d, expected %d: %s", method, path, body, a.Status, status, a.Body)
	}
	return a
}

// TestTheLifeOfAnIdentity goes from the first administrator to a disabled user
// and the keys that it made, and measures how soon each change holds.
func TestTheLifeOfAnIdentity(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const of = acme
		ctx, h := t.Context(), w.host
		person := func(sub, mail string) string {
			return edge.Bearer(w.jwt(map[string]any{"sub": sub, "email": mail}))
		}
		until := func(what string, right func() bool) {
			t.Helper()
			within(t, what, edge.Until(t, what, right), nodeBound)
		}

		// On the host, as `portreeve users add anna@… --role admin` does it.
		anna, other := person("anna-1", "Anna@Example.com"), person("anna-2", "anna@example.com")
		w.wants(t, 403, "GET", "/tenant/users", "", anna)
		row := w.user(t, of, tenant.NewUser{Email: "anna@example.com", Roles: []string{"admin"}})
		annas := w.asks(t, "GET", "/tenant/users", anna)
		until("the first administrator is let in by its e-mail", annas(200))
		if u := must(h.Tenants.User(ctx, of, row.ID)); u.Bound.Subject != "anna-1" || u.Bound.Provider != "jwt" {
			t.Errorf("the row is bound to %+v", u.Bound)
		}
		who := edge.Decode[struct {
			Tenant string
			Roles  []string
		}](t, w.wants(t, 200, "GET", "/.portreeve/whoami", "", anna))
		if who.Tenant != of || strings.Join(who.Roles, " ") != "admin" {
			t.Errorf("whoami: %+v", who)
		}

		// Somebody else with the same address.
		w.wants(t, 403, "GET", "/tenant/users", "", other)
		w.wants(t, 403, "GET", "/signed", "", other)
		must(h.Tenants.Relink(ctx, h.By(), of, row.ID))
		until("after relinking the other identity is the user", w.asks(t, "GET", "/tenant/users", other)(200))
		w.wants(t, 403, "GET", "/tenant/users", "", anna) // the conflict is the other way round now
		anna = other

		// A role, a user who gets it, and what that opens.
		bob := person("bob-1", "bob@example.com")
		made := edge.Decode[struct{ ID string }](t, w.wants(t, 201, "POST", "/tenant/users", `{"email":"bob@example.com","roles":["viewer"]}`, anna))
		w.wants(t, 201, "POST", "/rbac/roles", `{"name":"maker","permissions":["docs:read","apikeys:*","users:read"]}`, anna)
		w.wants(t, 403, "GET", "/tenant/users", "", bob)
		w.wants(t, 200, "POST", "/rbac/assign", `{"userId":"bob@example.com","role":"maker"}`, anna)
		bobs := w.asks(t, "GET", "/tenant/users", bob)
		until("a role that is assigned", bobs(200))
		w.wants(t, 403, "POST", "/rbac/assign", `{"userId":"bob@example.com","role":"admin"}`, bob)
		w.wants(t, 403, "POST", "/tenant/api-keys", `{"name":"x","scopes":["secrets:read"]}`, bob)

		// Bob's key is as strong as bob.
		key := edge.Decode[madeKey](t, w.wants(t, 201, "POST", "/tenant/api-keys", `{"name":"bob's","scopes":["docs:read"]}`, bob))
		w.tokens = append(w.tokens, key.Key)
		keys := w.asks(t, "GET", "/reads", edge.Key(key.Key))
		until("a new key", keys(200))
		w.wants(t, 403, "GET", "/tenant/users", "", edge.Key(key.Key))
		w.wants(t, 200, "DELETE", "/rbac/assign", `{"userId":"`+made.ID+`","role":"maker"}`, anna)
		until("a role that is taken away", bobs(403))
		until("the key of who lost the role", keys(403))
		w.wants(t, 200, "POST", "/rbac/assign", `{"userId":"`+made.ID+`","role":"maker"}`, anna)
		until("the key of who has it again", keys(200))
		w.wants(t, 200, "PUT", "/rbac/roles/maker", `{"permissions":["apikeys:*","users:read"]}`, anna)
		until("the key after its creator's role was narrowed", keys(403))
		w.wants(t, 200, "PUT", "/rbac/roles/maker", `{"permissions":["docs:read","apikeys:*","users:read"]}`, anna)
		until("the key after it was widened again", keys(200))

		// A disabled user, and what it made.
		w.wants(t, 200, "PATCH", "/tenant/users/"+made.ID, `{"disabled":true}`, anna)
		until("a user who is disabled", bobs(403))
		until("the key of who is disabled", keys(403))
		w.wants(t, 403, "GET", "/signed", "", bob)
		w.wants(t, 200, "PATCH", "/tenant/users/"+made.ID, `{"disabled":false}`, anna)
		until("a user who is enabled again", bobs(200))
		until("and its key", keys(200))

		w.rotates(t, key.ID, key.Key, anna)

		if got := strings.Join(w.actions(t, of), " "); !inOrder(got, "user.created user.bound user.relinked user.bound user.created role.created role.assigned apikey.created role.unassigned role.assigned role.changed user.disabled user.enabled apikey.rotated apikey.rotated apikey.revoked") {
			t.Errorf("the audit trail: %s", got)
		}
		conflicts := func() bool {
			var trail strings.Builder
			must(h.ExportAudit(ctx, &trail, audit.Scope{All: true}, time.Time{}, time.Time{}))
			return strings.Contains(trail.String(), "identity_conflict")
		}
		if err := w.Stop(); err != nil { // refusals are counted, and written at the latest now
			t.Fatal(err)
		}
		if !conflicts() {
			t.Error("nobody counted the identity conflict")
		}
		w.silent(t)
	})
}

// rotates goes through the secrets of a key to its end.
func (w *world) rotates(t *testing.T, id, first, admin string) {
	t.Helper()
	opens := func(token string) func(int) func() bool { return w.asks(t, "GET", "/reads", edge.Key(token)) }
	rotate := func(grace string) madeKey {
		t.Helper()
		k := edge.Decode[madeKey](t, w.wants(t, 200, "POST", "/tenant/api-keys/"+id+"/rotate", `{"gracePeriodSeconds":`+grace+`}`, admin))
		w.tokens = append(w.tokens, k.Key)
		if k.ID != id {
			t.Errorf("rotated into %s", k.ID)
		}
		return k
	}
	second := rotate("1")
	for _, token := range []string{first, second.Key} {
		w.wants(t, 200, "GET", "/reads", "", edge.Key(token))
	}
	edge.Until(t, "the end of the grace", opens(first)(401))
	switch late := time.Since(second.PreviousExpiresAt); {
	case late < 0:
		t.Errorf("the secret before ended %v early", -late)
	default:
		within(t, "the end of a rotated key's grace", late, nodeBound)
	}
	third := rotate("600")
	w.wants(t, 200, "GET", "/reads", "", edge.Key(second.Key))
	fourth := rotate("600")
	within(t, "the secret before the one before, at the next rotation", edge.Until(t, "the one before", opens(second.Key)(401)), nodeBound)
	for _, token := range []string{third.Key, fourth.Key} {
		w.wants(t, 200, "GET", "/reads", "", edge.Key(token))
	}
	w.wants(t, 204, "DELETE", "/tenant/api-keys/"+id, "", admin)
	for what, token := range map[string]string{"a revoked key": fourth.Key, "its secret in grace": third.Key} {
		within(t, what, edge.Until(t, what, opens(token)(401)), nodeBound)
	}
	w.wants(t, 404, "GET", "/tenant/api-keys/"+id, "", admin)
}

// actions are what the audit trail of a tenant names, in order.
func (w *world) actions(t *testing.T, of string) (out []string) {
	t.Helper()
	var trail strings.Builder
	must(w.host.ExportAudit(t.Context(), &trail, audit.Scope{Tenant: of}, time.Time{}, time.Time{}))
	for line := range strings.Lines(trail.String()) {
		e := edge.Decode[struct{ Action string }](t, edge.Answer{Body: line})
		out = append(out, e.Action)
	}
	return out
}

// inOrder reports whether some words stand in a text in their order.
func inOrder(text, words string) bool {
	have := strings.Fields(text)
	for _, word := range strings.Fields(words) {
		i := 0
		for i < len(have) && have[i] != word {
			i++
		}
		if i == len(have) {
			return false
		}
		have = have[i+1:]
	}
	return true
}
