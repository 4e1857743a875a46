package portal

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// A double click makes the browser hang up on the first form: what it asked is done
// all the same, and the second is answered with it.
func TestWhoHangsUpIsServedByTheSecondForm(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		o := newOnce(Deps{DB: db, Now: time.Now})
		sent := func(ctx context.Context) (*visit, *form) {
			c := &gateway.Call{Who: &principal.Principal{Kind: principal.User, Subject: "anna"}, Site: &gateway.Site{Name: "portal"}, View: &request.View{}}
			return &visit{ctx: ctx, c: c}, &form{values: url.Values{"once": {strings.Repeat("0a", onceBytes)}}}
		}
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		v, f := sent(gone)
		made := func() (request.Reply, error) { return request.Reply{Status: 200, Body: []byte("made")}, v.ctx.Err() }
		if reply, err := o.take(v, f, made); err != nil || reply.Status != 200 {
			t.Fatalf("the first form: %d, %v", reply.Status, err)
		}
		again, f := sent(t.Context())
		reply, err := o.take(again, f, func() (request.Reply, error) { t.Error("made twice"); return request.Reply{}, nil })
		if err != nil || string(reply.Body) != "made" {
			t.Errorf("the second form: %q, %v", reply.Body, err)
		}
	})
}
