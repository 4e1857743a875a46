package usage

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

func TestTheBoundsOfAQuestion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		q        Span
		from, to string
		size     int64
		field    string
	}{
		"nothing said":            {Span{}, "2026-11-20T12:00:00Z", "2026-11-21T13:00:00Z", hourMs, ""},
		"by day":                  {Span{Bucket: "day"}, "2026-10-22T00:00:00Z", "2026-11-22T00:00:00Z", dayMs, ""},
		"dates":                   {Span{From: "2026-01-01", To: "2026-01-03"}, "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z", dayMs, ""},
		"one date":                {Span{From: "2026-01-01", To: "2026-01-01"}, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", hourMs, ""},
		"zones":                   {Span{From: "2026-01-01T01:30:00+02:00", To: "2026-01-01T02:00:00+02:00"}, "2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z", hourMs, ""},
		"a month of hours":        {Span{From: "2026-01-01", To: "2026-01-31", Bucket: "hour"}, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", hourMs, ""},
		"too many hours":          {Span{From: "2026-01-01", To: "2026-02-02", Bucket: "hour"}, "", "", 0, "from"},
		"too many days":           {Span{From: "2020-01-01", To: "2026-01-01"}, "", "", 0, "from"},
		"backwards":               {Span{From: "2026-02-01", To: "2026-01-01"}, "", "", 0, "to"},
		"nothing between":         {Span{From: "2026-02-01T00:00:00Z", To: "2026-02-01T00:00:00Z"}, "", "", 0, "to"},
		"no time":                 {Span{From: "yesterday"}, "", "", 0, "from"},
		"a year out of all sense": {Span{To: "9999-01-01"}, "", "", 0, "to"},
		"no bucket":               {Span{Bucket: "week"}, "", "", 0, "bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to, size, err := tt.q.bounds(noon)
			if tt.field != "" {
				if f := fault.From(err); f == nil || f.Kind != fault.BadRequest || len(f.Details) != 1 || f.Details[0].Field != tt.field {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || from.Format(time.RFC3339) != tt.from || to.Format(time.RFC3339) != tt.to || size != tt.size {
				t.Errorf("%s to %s by %d, %v", from, to, size, err)
			}
		})
	}
}

func TestHowUsageLooks(t *testing.T) {
	t.Parallel()
	s, _ := service(t, storetest.SQLite(t))
	s.Count(Call{Tenant: "a", Key: "k", Status: 404, Bytes: 9, At: noon})
	s.mustFlush(t)
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	get := func(run func(context.Context, *gateway.Call) (request.Reply, error), query string) string {
		reply, err := run(t.Context(), &gateway.Call{Tenant: "a", Now: now, View: &request.View{Query: query}, Params: &gateway.Params{}})
		if err != nil {
			f := fault.From(err)
			if len(f.Details) > 0 {
				return f.Details[0].Field + " " + f.Details[0].Issue
			}
			return f.Text()
		}
		return string(reply.Body)
	}
	for _, tt := range []struct{ got, want string }{
		{get(s.summary, ""), `{"tenant_id":"a","period":"2026-11","api_calls":1,"bandwidth_bytes":9}` + "\n"},
		{get(s.history, ""), `{"data":[{"date":"2026-11-01","api_calls":0,"bandwidth_bytes":0},{"date":"2026-11-02","api_calls":0,"bandwidth_bytes":0}]}` + "\n"},
		{get(s.history, "period=2026-12"), "period must be a month like 2026-11, not one to come"},
		{get(s.history, "period=2026-13"), "period must be a month like 2026-11, not one to come"},
		{get(s.history, "period="), "period must be a month like 2026-01"},
		{get(s.history, "period=2026-01&period=2026-02"), "period stands more than once in the query"},
		{get(s.ofKey, ""), "Resource not found"},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for _, r := range s.Routes() {
		if r.Public || !r.Op.Tenant || len(r.Require.RequiredPermissions) != 1 {
			t.Errorf("%s %s asks for nothing", r.Method, r.Path)
		}
	}
}
