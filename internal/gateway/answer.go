package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// MaxTemplateBody bounds the JSON body that templates read.
const MaxTemplateBody = 1 << 20

// WantsBody reports whether the route's own answer reads the request body.
func (x *Exchange) WantsBody() bool {
	d, ok := x.Route.Answer.(*Document)
	return ok && d.UsesBody
}

// Answer makes the reply of a route that answers itself. body is nil unless
// WantsBody said so, and then at most MaxTemplateBody bytes.
func (x *Exchange) Answer(body []byte, now time.Time) (request.Reply, *fault.Error) {
	switch a := x.Route.Answer.(type) {
	case *Document:
		return x.document(a, body, now)
	case *Redirect:
		to, ok := a.To.String(&env{x: x, now: now, verifiedOnly: true})
		if !ok {
			return request.Reply{}, fault.New(fault.BadRequest, "redirect", "The request has no value for this route's target")
		}
		return request.Reply{Status: a.Status, Header: x.privately(request.Header{{Name: "Location", Value: to}})}, nil
	case *Builtin:
		return a.Reply(x), nil
	}
	return request.Reply{}, fault.New(fault.Internal, "no_answer", "")
}

func (x *Exchange) document(d *Document, body []byte, now time.Time) (request.Reply, *fault.Error) {
	e := &env{x: x, now: now}
	if d.UsesBody {
		if f := e.readBody(body); f != nil {
			return request.Reply{}, f
		}
	}
	out := request.Reply{Status: d.Status}
	h := request.Header{{Name: "X-Content-Type-Options", Value: "nosniff"}}
	ownType := false
	for i := range d.Headers {
		if d.Headers[i].Value.Absent(e) {
			continue
		}
		if value, ok := d.Headers[i].Value.HeaderText(e); ok {
			h = append(h, request.Field{Name: d.Headers[i].Name, Value: value})
			ownType = ownType || strings.EqualFold(d.Headers[i].Name, "Content-Type")
		}
	}
	if !ownType {
		h = append(h, request.Field{Name: "Content-Type", Value: d.ContentType})
	}
	out.Header = x.privately(h)
	if d.JSON != nil {
		raw, err := d.JSON.JSON(e)
		if err != nil {
			return request.Reply{}, fault.Wrap(fault.Internal, "data", "", err)
		}
		out.Body = raw
		return out, nil
	}
	if s, ok := d.Text.Text(e, nil); ok {
		out.Body = []byte(s)
	}
	return out, nil
}

// guarded reports whether the route or its site asks anything of callers.
func (x *Exchange) guarded() bool {
	return x.Route.Requirement.Any() || x.Site.Allow.Any() && !x.Route.OpenToAll
}

// privately keeps answers behind a requirement out of shared caches.
func (x *Exchange) privately(h request.Header) request.Header {
	if x.renews() { // a cache that several share would hand the cookie out
		return append(withoutField(h, "Cache-Control"), request.Field{Name: "Cache-Control", Value: "no-store"})
	}
	if !h.Has("Cache-Control") && !x.Route.SharedCache && x.guarded() {
		h = append(h, request.Field{Name: "Cache-Control", Value: "private"})
	}
	return h
}

func withoutField(h request.Header, name string) request.Header {
	return slices.DeleteFunc(h, func(f request.Field) bool { return strings.EqualFold(f.Name, name) })
}

// readBody reads the request body as one JSON value.
func (e *env) readBody(body []byte) *fault.Error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if strings.HasPrefix(strings.ToLower(e.x.View.Header.Get("Content-Type")), "multipart/") {
		return fault.New(fault.BadRequest, "bad_body", "The request body is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&e.body); err != nil {
		return fault.New(fault.BadRequest, "bad_body", "The request body is not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return fault.New(fault.BadRequest, "bad_body", "The request body is more than one JSON value")
	}
	e.hasBody = true
	return nil
}
