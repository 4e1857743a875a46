package proxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/internal/gateway"
)

// An upstream that has said anything has done the work: what it says may be
// refused, the request is not sent to another member.
func TestARefusedHTTP2AnswerIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]int{"too many fields": 300, "too many bytes": 1800} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var done atomic.Int32
			work := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				done.Add(1)
				for i := range fields {
					w.Header().Set(fmt.Sprintf("X-%d", i), "0123456789")
				}
			})
			_, one, d := h2Server(t, H2C, true, work)
			_, two, _ := h2Server(t, H2C, true, work)
			g := NewGroup(GroupSettings{Members: []Settings{one, two}, Retries: 2}, d)
			t.Cleanup(g.Close)
			for range 30 {
				g.budget.earn()
			}
			for asked := range 2 {
				w := deadlines{httptest.NewRecorder()}
				r := httptest.NewRequest("DELETE", "/", nil)
				if status, _, f := g.Serve(w, r, &gateway.Forward{Method: "DELETE", Path: "/a", Host: "app.example"}); status != 0 || f == nil || f.Kind.Status() != 502 {
					t.Errorf("answered %d, %v", status, f)
				}
				if n := int(done.Load()); n != asked+1 {
					t.Fatalf("%d requests were done %d times", asked+1, n)
				}
			}
		})
	}
}
