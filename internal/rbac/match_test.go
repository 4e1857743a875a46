package rbac

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// tag is the ETag of a role, whose answer has one.
func (h *house) tag(token, name string) string {
	h.t.Helper()
	h.poll()
	reply := must(gatewaytest.Ask(h.t.Context(), h.gate, h.snap, gatewaytest.Arrival(token, "GET /rbac/roles/"+name, ""), ""))
	if tag := reply.Header.Get("ETag"); reply.Status == 200 && strings.HasPrefix(tag, `"`) {
		return tag
	}
	h.t.Fatalf("%s: %d %v", name, reply.Status, reply.Header)
	return ""
}

func TestARoleIsNotOverwrittenFromAnOlderState(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.role("x", "", "docs:read")
		h.role("y", "x")
		admin := h.admin()
		first, heir := h.tag(admin, "x"), h.tag(admin, "y")
		put := func(want int, match string) string {
			t.Helper()
			got, body := h.ask(admin, "PUT /rbac/roles/x", `{"permissions":["docs:read","docs:write"]}`, "If-Match: "+match)
			if got != want {
				t.Errorf("If-Match %s: %d %s, want %d", match, got, body, want)
			}
			return body
		}
		put(200, first)
		if body := put(412, first); !strings.HasPrefix(body, `{"error":"Precondition Failed","message":"It was changed`) {
			t.Error(body)
		}
		put(412, "W/"+h.tag(admin, "x"))
		put(412, "x")
		put(200, `"other", `+h.tag(admin, "x"))
		put(200, "*")
		h.user("ann", "x")
		if h.tag(admin, "y") != heir { // it inherits more, and is as it was written
			t.Error("a change of its parent is one of the role")
		}
		now := h.tag(admin, "x")
		h.want(200, admin, "PUT /rbac/roles/x", `{"description":"d"}`) // older clients send no If-Match
		if now == h.tag(admin, "x") {
			t.Error("a changed role has the tag that it had")
		}
		if got, body := h.ask(admin, "DELETE /rbac/roles/y", "", "If-Match: "+first); got != 412 {
			t.Errorf("removing: %d %s", got, body)
		}
		if got, body := h.ask(admin, "DELETE /rbac/roles/y", "", "If-Match: "+heir); got != 204 {
			t.Errorf("removing: %d %s", got, body)
		}
		if got, _ := h.ask(admin, "PUT /rbac/roles/y", `{}`, "If-Match: "+heir); got != 404 {
			t.Errorf("what is gone: %d", got) // RFC 9110 section 13.2.1: as without the condition
		}
		h.role("y", "x")
		if got, _ := h.ask(admin, "PUT /rbac/roles/y", `{"parentRole":""}`, "If-Match: "+heir); got != 412 {
			t.Errorf("another role of the name: %d", got)
		}
	})
}

func TestOneOfManyChangesARoleFromOneState(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, fileRoles)
		h.role("x", "", "docs:read")
		admin := h.admin()
		tag := h.tag(admin, "x")
		got := counted(t, func(i int) (int, string, error) {
			return h.try(admin, "PUT /rbac/roles/x", `{"description":"`+strings.Repeat("d", i+1)+`"}`, "If-Match: "+tag)
		})
		if got[200] != 1 || got[412] != callers-1 {
			t.Errorf("answers: %v", got)
		}
	})
}
