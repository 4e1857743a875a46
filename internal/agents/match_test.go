package agents

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/gateway/gatewaytest"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// tag is the ETag of what stands under a path.
func (h *house) tag(token, path string) string {
	h.t.Helper()
	h.poll()
	reply := must(gatewaytest.Ask(h.t.Context(), h.gate, h.snap, gatewaytest.Arrival(token, "GET "+path, ""), ""))
	if tag := reply.Header.Get("ETag"); reply.Status == 200 && strings.HasPrefix(tag, `"`) {
		return tag
	}
	h.t.Fatalf("%s: %d %v", path, reply.Status, reply.Header)
	return ""
}

// TestOneOfManyChangesAnAgentFromOneState: so too for somebody's role on it, and
// a second caller from the same state removes neither.
func TestOneOfManyChangesAnAgentFromOneState(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		olga := h.token("olga@example.com", "role=admin")
		h.want(201, olga, "POST /api/agents", `{"name":"bot"}`)
		ann := "/api/agents/bot/admins/" + h.add(olga, "bot", "ann@example.com", "viewer")
		for _, c := range []struct{ path, method, body, other string }{
			{"/api/agents/bot", "PUT", `{"description":"%d"}`, ""},
			{ann, "PATCH", `{"role":"admin"}`, ""},
		} {
			tag := h.tag(olga, c.path)
			var done, refused atomic.Int64
			storetest.Callers(t, callers, func(i int) error {
				body := c.body
				if strings.Contains(body, "%d") {
					body = fmt.Sprintf(body, i)
				}
				status, text, err := h.try(olga, c.method+" "+c.path, body, "If-Match: "+tag)
				switch {
				case status == 200:
					done.Add(1)
				case status == 412 && strings.HasPrefix(text, `{"error":{"code":"PRECONDITION_FAILED","message":"It was changed`):
					refused.Add(1)
				default:
					t.Errorf("%s: %d %s", c.path, status, text)
				}
				return err
			})
			if done.Load() != 1 || refused.Load() != callers-1 {
				t.Errorf("%s: %d changed it, %d were refused", c.path, done.Load(), refused.Load())
			}
			if status, text := h.ask(olga, "DELETE "+c.path, "", "If-Match: "+tag); status != 412 {
				t.Errorf("deleting: %d %s", status, text)
			}
			if h.tag(olga, c.path) == tag {
				t.Errorf("%s has the tag that it had", c.path)
			}
		}
		if status, text := h.ask(olga, "DELETE "+ann, "", "If-Match: "+h.tag(olga, ann)); status != 204 {
			t.Errorf("%d %s", status, text)
		}
	})
}

func TestOneMemberIsReadByItsAdmins(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		olga, vera := h.token("olga@example.com", "role=admin"), h.token("vera@example.com")
		h.want(201, olga, "POST /api/agents", `{"name":"bot"}`)
		id := h.add(olga, "bot", "vera@example.com", "viewer")
		at := "GET /api/agents/bot/admins/"
		if m := data[MemberView](t, h.want(200, olga, at+id, "")); m.ID != id || m.Email != "vera@example.com" || m.Role != "viewer" {
			t.Errorf("%+v", m)
		}
		h.want(404, olga, at+"nobody", "")
		h.want(403, vera, at+id, "") // a viewer does not see who has a role
		h.want(403, h.token("sub:eve"), at+id, "")
		h.want(403, olga, "GET /api/agents/none/admins/"+id, "")
	})
}
