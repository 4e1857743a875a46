package insight

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strconv"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Events is what the operations about the record of changes ask.
type Events struct {
	// Trail is where the record is kept; nil, or nil results: nothing is kept.
	Trail func() (*store.DB, *audit.Log)
	// Checkpoints opens the file of signed checkpoints; nil, or a nil reader: there
	// is none, and a trail whose end was cut off looks like a shorter one.
	Checkpoints func() (io.ReadCloser, error)
}

// The bounds of an export: of one answer, and of what it holds in memory.
const (
	mostExported = 10_000
	mostBytes    = 16 << 20
	batch        = 500
)

// eventRoutes lists the operations, all of them about the caller's own tenant:
//
//	GET /.portreeve/insight/audit          audit:read   the newest first
//	GET /.portreeve/insight/audit/verify   audit:read
//	GET /.portreeve/insight/audit/export   audit:read   lines of JSON, in their order
func (s *Service) eventRoutes() []gateway.SurfaceRoute {
	list := []gateway.SurfaceRoute{
		get("/audit", "audit:read", "list audit events", s.events),
		get("/audit/verify", "audit:read", "verify the audit trail", s.verifyEvents),
		get("/audit/export", "audit:read", "export audit events", s.exportEvents),
	}
	for i := range list {
		list[i].Op.Tenant = true
	}
	// Both read much, and an export is an event itself.
	for i, most := range map[int]int{1: 12, 2: 60} {
		list[i].Limit, list[i].LimitOf = &limit.RuleConfig{WindowMs: 60_000, Max: most, By: "principal"}, list[i].Path
	}
	return list
}

// trail is where the record is kept, for a caller who has a tenant: without one it
// would be the chain of the host.
func (s *Service) trail(c *gateway.Call) (*store.DB, *audit.Log, error) {
	if c.Tenant == "" {
		return nil, nil, fault.New(fault.Forbidden, "no_tenant", "")
	}
	if open := s.d.Events.Trail; open != nil {
		if db, log := open(); db != nil && log != nil {
			return db, log, nil
		}
	}
	return nil, nil, fault.New(fault.Unavailable, "nothing_stored", "Nothing is recorded here: there is no store")
}

// EventPage is a part of a tenant's events, the newest first. Next, where there
// are more, is the before of the part that follows.
type EventPage struct {
	Data []audit.Record `json:"data"`
	Next string         `json:"next,omitempty"`
}

func (s *Service) events(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	f, err := filterOf(c.View)
	if err != nil {
		return request.Reply{}, err
	}
	limit, before, err := newest(c.View, 50, 200)
	if err != nil {
		return request.Reply{}, err
	}
	_, log, err := s.trail(c)
	if err != nil {
		return request.Reply{}, err
	}
	list, err := log.Before(ctx, c.Tenant, f, before, int(limit)+1)
	if err != nil {
		return request.Reply{}, err
	}
	out := EventPage{Data: list}
	if len(list) > int(limit) {
		out.Data = list[:limit]
		out.Next = strconv.FormatInt(out.Data[limit-1].N, 10)
	}
	if out.Data == nil {
		out.Data = []audit.Record{}
	}
	return gateway.JSON(200, out), nil
}

// exportEvents writes lines of JSON, at most mostExported, and records that it did
// before anything leaves. Where there are more, Link names the rest (RFC 8288).
func (s *Service) exportEvents(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	if elsewhere(c) {
		return request.Reply{}, errElsewhere
	}
	f, err := filterOf(c.View)
	if err != nil {
		return request.Reply{}, err
	}
	after, err := number(c.View, "after", 0, 0, 1<<62)
	if err != nil {
		return request.Reply{}, err
	}
	db, log, err := s.trail(c)
	if err != nil {
		return request.Reply{}, err
	}
	e := audit.Event{Tenant: c.Tenant, Action: "audit.exported", Actor: c.Actor(), Request: c.View.ID, Decision: c.Decision,
		Detail: map[string]string{"after": strconv.FormatInt(after, 10)}}
	if err := db.Tx(ctx, func(tx *store.Tx) error { return log.Append(tx, e) }); err != nil {
		return request.Reply{}, err
	}
	body, last, more, err := lines(ctx, log, c.Tenant, f, after)
	if err != nil {
		return request.Reply{}, err
	}
	reply := request.Reply{Status: 200, Body: body, Header: request.Header{
		{Name: "Content-Type", Value: "application/jsonl; charset=utf-8"},
		{Name: "Content-Disposition", Value: `attachment; filename="audit-` + strconv.FormatInt(after+1, 10) + `.jsonl"`},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
	if more {
		reply.Header = append(reply.Header, request.Field{Name: "Link", Value: "<" + nextQuery(c.View, last) + `>; rel="next"`})
	}
	return reply, nil
}

// lines are events after a number, as many as one answer holds, and the number of
// the last of them.
func lines(ctx context.Context, log *audit.Log, tenant string, f audit.Filter, after int64) (body []byte, last int64, more bool, err error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for count := 0; ; {
		list, err := log.After(ctx, tenant, f, after, batch)
		if err != nil {
			return nil, 0, false, err
		}
		for i := range list {
			if count == mostExported || b.Len() >= mostBytes {
				return b.Bytes(), after, true, nil
			}
			if err := e.Encode(list[i]); err != nil {
				return nil, 0, false, err
			}
			after = list[i].N
			count++
		}
		if len(list) < batch {
			return b.Bytes(), after, false, nil
		}
	}
}
