package proxy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
)

// A member that takes connections again is back, whatever becomes of the request
// that found out: clients that leave do not keep it out.
func TestAClientThatLeavesDoesNotKeepAMemberOut(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Protocol{"HTTP/1.1": HTTP1, "h2c": H2C} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			came := make(chan struct{}, 1)
			_, set, d := h2Server(t, p, p == H2C, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				came <- struct{}{}
				<-r.Context().Done()
			}))
			if p == HTTP1 {
				_, set, d = h2Server(t, H2C, false, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					came <- struct{}{}
					<-r.Context().Done()
				}))
				set.Protocol = HTTP1
			}
			g := NewGroup(GroupSettings{Members: []Settings{set, {Scheme: "http", Address: "127.0.0.1:1"}}}, d)
			t.Cleanup(g.Close)
			for _, m := range g.members {
				for range ejectAfter {
					(*m.at.Load())[0].health.failed(time.Now(), "refused")
				}
			}
			member := &(*g.members[0].at.Load())[0].health
			(*g.members[1].at.Load())[0].health.down.Store(true)
			time.Sleep(firstBackOff + 50*time.Millisecond)
			ctx, leave := context.WithCancel(t.Context())
			go func() { <-came; leave() }()
			r := httptest.NewRequest("POST", "/", nil).WithContext(ctx)
			_, _, _ = g.Serve(deadlines{httptest.NewRecorder()}, r, &gateway.Forward{Method: "POST", Path: "/", Host: "app.example"})
			if until := member.until.Load(); until != 0 {
				t.Error("the member is still out")
			}
		})
	}
}
