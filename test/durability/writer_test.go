package durability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// writer writes what is its own, and knows what it was told of it.
type writer struct {
	n      int
	url    string
	auth   string
	c      *client
	rand   *rand.Rand
	acked  int
	failed string // an answer that should not be

	keys   []*ownKey
	users  []*ownUser
	secret maybe[string] // of S<n>
	made   int
}

// maybe is a value that is known, or one of several: what it was before a write
// whose end nobody was told, and what that write would have made of it.
type maybe[T comparable] []T

func (m maybe[T]) known() bool { return len(m) == 1 }

type ownKey struct {
	id   string
	text maybe[string] // the secret that works; "" for none; unknown is anotherKey
	on   maybe[bool]
}

// anotherKey stands for a secret that was made and never told.
const anotherKey = "?"

type ownUser struct {
	id, email string
	gone      maybe[bool]
	off       maybe[bool]
	roles     maybe[string] // as JSON
}

// write goes on until the process is gone.
func (w *writer) write(ctx context.Context) {
	for ctx.Err() == nil && w.failed == "" {
		var goes bool
		switch w.rand.IntN(10) {
		case 0, 1:
			goes = w.newKey(ctx)
		case 2, 3, 4:
			goes = w.changeKey(ctx)
		case 5:
			goes = w.newUser(ctx)
		case 6, 7:
			goes = w.changeUser(ctx)
		default:
			goes = w.changeSecret(ctx)
		}
		if !goes {
			return
		}
	}
}

// do asks, and reports whether there was an answer. One of another status than
// these fails the test.
func (w *writer) do(ctx context.Context, method, path, body string, want ...int) (answer, bool) {
	a, err := w.c.ask(ctx, method, w.url+path, w.auth, body)
	if err != nil {
		return a, false
	}
	if !slices.Contains(want, a.status) {
		w.failed = fmt.Sprintf("%s %s: %d %s", method, path, a.status, a.body)
		return a, false
	}
	w.acked++
	return a, true
}

func (w *writer) newKey(ctx context.Context) bool {
	w.made++
	a, ok := w.do(ctx, "POST", "/tenant/api-keys", fmt.Sprintf(`{"name": "w%d-%d", "scopes": ["docs:read"]}`, w.n, w.made), 201)
	if ok {
		k := mustRead[madeKey](a)
		w.keys = append(w.keys, &ownKey{id: k.ID, text: maybe[string]{k.Key}, on: maybe[bool]{true}})
	}
	return ok
}

func (w *writer) changeKey(ctx context.Context) bool {
	k := w.someKey()
	if k == nil {
		return true
	}
	before := k.text[0]
	path := "/tenant/api-keys/" + k.id
	switch w.rand.IntN(4) {
	case 0:
		k.text = maybe[string]{before, ""}
		if _, ok := w.do(ctx, "DELETE", path, "", 204); !ok {
			return false
		}
		k.text = maybe[string]{""}
	case 1:
		on := !k.on[0]
		k.on = maybe[bool]{!on, on}
		if _, ok := w.do(ctx, "PATCH", path, fmt.Sprintf(`{"disabled": %t}`, !on), 200); !ok {
			return false
		}
		k.on = maybe[bool]{on}
	default:
		k.text = maybe[string]{before, anotherKey}
		a, ok := w.do(ctx, "POST", path+"/rotate", `{}`, 200)
		if !ok {
			return false
		}
		k.text = maybe[string]{mustRead[madeKey](a).Key}
	}
	return true
}

func (w *writer) someKey() *ownKey {
	for range 8 {
		if len(w.keys) == 0 {
			return nil
		}
		if k := w.keys[w.rand.IntN(len(w.keys))]; k.text.known() && k.text[0] != "" && k.on.known() {
			return k
		}
	}
	return nil
}

func (w *writer) newUser(ctx context.Context) bool {
	w.made++
	email := fmt.Sprintf("w%d.%d@example.com", w.n, w.made)
	a, ok := w.do(ctx, "POST", "/tenant/users", fmt.Sprintf(`{"email": %q, "roles": ["reader"]}`, email), 201)
	if ok {
		w.users = append(w.users, &ownUser{id: mustRead[madeUser](a).ID, email: email, gone: maybe[bool]{false}, off: maybe[bool]{false}, roles: maybe[string]{`["reader"]`}})
	}
	return ok
}

func (w *writer) changeUser(ctx context.Context) bool {
	if len(w.users) == 0 {
		return true
	}
	u := w.users[w.rand.IntN(len(w.users))]
	if !u.gone.known() || u.gone[0] || !u.off.known() || !u.roles.known() {
		return true
	}
	var roles []string
	if err := unmarshal(u.roles[0], &roles); err != nil {
		w.failed = err.Error()
		return false
	}
	switch w.rand.IntN(5) {
	case 0:
		off := !u.off[0]
		u.off = maybe[bool]{!off, off}
		if _, ok := w.do(ctx, "PATCH", "/tenant/users/"+u.id, fmt.Sprintf(`{"disabled": %t}`, off), 200); !ok {
			return false
		}
		u.off = maybe[bool]{off}
	case 1:
		if len(roles) > 1 { // or its assignments end without an event of their own
			return true
		}
		u.gone = maybe[bool]{false, true}
		if _, ok := w.do(ctx, "DELETE", "/tenant/users/"+u.id, "", 204); !ok {
			return false
		}
		u.gone = maybe[bool]{true}
	default:
		method, role := "POST", fmt.Sprintf("r%d", w.rand.IntN(2))
		after := append(slices.Clone(roles), role)
		if slices.Contains(roles, role) {
			method, after = "DELETE", slices.DeleteFunc(slices.Clone(roles), func(s string) bool { return s == role })
		}
		slices.Sort(after)
		u.roles = maybe[string]{asJSON(roles), asJSON(after)}
		if _, ok := w.do(ctx, method, "/rbac/assign", fmt.Sprintf(`{"userId": %q, "role": %q}`, u.id, role), 200); !ok {
			return false
		}
		u.roles = maybe[string]{asJSON(after)}
	}
	return true
}

func (w *writer) changeSecret(ctx context.Context) bool {
	if !w.secret.known() && w.secret != nil {
		return true
	}
	if w.secret == nil {
		w.secret = maybe[string]{""}
	}
	w.made++
	name, before, after := fmt.Sprintf("S%d", w.n), w.secret[0], fmt.Sprintf("v%d-%d", w.n, w.made)
	method, path, body, want := "POST", "/tenant/secrets", fmt.Sprintf(`{"key": %q, "value": %q}`, name, after), 201
	switch {
	case before != "" && w.rand.IntN(6) == 0:
		method, path, body, want, after = "DELETE", "/tenant/secrets/"+name, "", 204, ""
	case before != "":
		path, body, want = "/tenant/secrets/rotate", fmt.Sprintf(`{"key": %q, "newValue": %q}`, name, after), 200
	}
	w.secret = maybe[string]{before, after}
	if _, ok := w.do(ctx, method, path, body, want); !ok {
		return false
	}
	w.secret = maybe[string]{after}
	return true
}

// look holds everything of the writer against the process that came after, and
// settles what was in doubt. It says how much that was.
func (w *writer) look(t *testing.T) (doubts int) {
	t.Helper()
	for _, k := range w.keys {
		if !k.text.known() || !k.on.known() {
			doubts++
		}
		w.lookAtKey(t, k)
	}
	for _, u := range w.users {
		if !u.gone.known() || !u.off.known() || !u.roles.known() {
			doubts++
		}
		w.lookAtUser(t, u)
	}
	if w.secret != nil {
		if !w.secret.known() {
			doubts++
		}
		got := w.c.must(t, 200, "GET", fmt.Sprintf("%s/sealed/%d", w.url, w.n), w.auth, "").body
		if !slices.Contains(w.secret, got) {
			t.Errorf("secret S%d is %q, told %q", w.n, got, w.secret)
		}
		w.secret = maybe[string]{got}
	}
	// What was settled and is over is not looked at again.
	w.keys = slices.DeleteFunc(w.keys, func(k *ownKey) bool { return k.text[0] == "" || k.text[0] == anotherKey })
	w.users = slices.DeleteFunc(w.users, func(u *ownUser) bool { return u.gone[0] })
	if n := len(w.keys); n > 12 { // and what is old is left alone, or each look takes longer
		w.keys = slices.Delete(w.keys, 0, n-12)
	}
	if n := len(w.users); n > 8 {
		w.users = slices.Delete(w.users, 0, n-8)
	}
	return doubts
}

func (w *writer) lookAtKey(t *testing.T, k *ownKey) {
	t.Helper()
	row, err := w.c.ask(t.Context(), "GET", w.url+"/tenant/api-keys/"+k.id, w.auth, "")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Prefix   string `json:"prefix"`
		Disabled bool   `json:"disabled"`
		Revoked  string `json:"revokedAt"`
	}
	if row.status == 200 {
		shown = read[struct {
			Prefix   string `json:"prefix"`
			Disabled bool   `json:"disabled"`
			Revoked  string `json:"revokedAt"`
		}](t, row)
	}
	known := k.text[0]
	var now string // which of the two it is
	switch {
	case row.status == 404 || shown.Revoked != "":
		now = ""
	case row.status != 200:
		t.Fatalf("key %s: %d %s", k.id, row.status, row.body)
	case strings.HasPrefix(known, shown.Prefix+"_"):
		now = known
	default:
		now = anotherKey
	}
	if !slices.Contains(k.text, now) {
		t.Errorf("writer %d: key %s is %.12q and was told to be one of %.12q", w.n, k.id, now, k.text)
	}
	on := !shown.Disabled
	if now != "" && !slices.Contains(k.on, on) {
		t.Errorf("writer %d: key %s is on: %t, told %v", w.n, k.id, on, k.on)
	}
	// And it opens what it should, or nothing.
	if known != "" && known != anotherKey {
		want := 401
		if now == known && on {
			want = 200
		}
		got, err := w.c.ask(t.Context(), "GET", w.url+"/docs", known, "")
		if err != nil || got.status != want {
			t.Errorf("writer %d: with key %s: %d %s %v, want %d", w.n, k.id, got.status, got.body, err, want)
		}
	}
	k.text, k.on = maybe[string]{now}, maybe[bool]{on}
}

func (w *writer) lookAtUser(t *testing.T, u *ownUser) {
	t.Helper()
	a, err := w.c.ask(t.Context(), "GET", w.url+"/tenant/users/"+u.id, w.auth, "")
	if err != nil || a.status != 200 && a.status != 404 {
		t.Fatalf("user %s: %d %s %v", u.id, a.status, a.body, err)
	}
	gone := a.status == 404
	if !slices.Contains(u.gone, gone) {
		t.Errorf("user %s is gone: %t, told %v", u.email, gone, u.gone)
	}
	u.gone = maybe[bool]{gone}
	if gone {
		return
	}
	v := read[struct {
		Roles    []string `json:"roles"`
		Disabled bool     `json:"disabled"`
	}](t, a)
	slices.Sort(v.Roles)
	if roles := asJSON(v.Roles); !slices.Contains(u.roles, roles) || !slices.Contains(u.off, v.Disabled) {
		t.Errorf("user %s has %s and is disabled: %t; told %v and %v", u.email, roles, v.Disabled, u.roles, u.off)
	}
	u.roles, u.off = maybe[string]{asJSON(v.Roles)}, maybe[bool]{v.Disabled}
}
