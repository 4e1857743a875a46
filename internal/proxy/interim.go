package proxy

import (
	"maps"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// continueWait is how long an upstream may take to say whether it wants a body
// that the client sends only when asked (RFC 9110 section 10.1.1). Some never
// say: then the body is sent.
const continueWait = time.Second

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// expects reports whether the client waits to be told to send its body.
func (x *exchange) expects() bool {
	return x.frame != noBody && x.r.ProtoMajor == 1 && x.r.ProtoAtLeast(1, 1) && equalFold(x.r.Header.Get("Expect"), "100-continue")
}

// begin starts the upload that was put off.
func (x *exchange) begin() {
	if x.pending == nil {
		return
	}
	x.up, x.pending = x.pending, nil
	go x.up.run(x.u.set.Timeout)
}

// impatient reports whether waiting for a 100 took too long; the body is then
// sent without it.
func (x *exchange) impatient(err error) bool {
	if x.pending == nil || !timedOut(err) || x.ctx.Err() != nil {
		return false
	}
	_ = x.c.SetReadDeadline(time.Time{})
	x.begin()
	return true
}

// interim handles a 1xx head that is not the final one: 100 lets the body go,
// by which net/http tells the client; all others are passed on.
func (x *exchange) interim(status int, fields []request.Field, options string) {
	if status == http.StatusContinue {
		if x.pending != nil {
			_ = x.c.SetReadDeadline(time.Time{})
		}
		x.begin()
		return
	}
	if !x.r.ProtoAtLeast(1, 1) { // HTTP/1.0 knows none (RFC 9110 section 15.2)
		return
	}
	h := x.w.Header()
	own := maps.Clone(h)
	clear(h)
	for i := range fields {
		if f := &fields[i]; x.passes(f, options) {
			name := textproto.CanonicalMIMEHeaderKey(f.Name)
			h[name] = append(h[name], f.Value)
		}
	}
	x.w.WriteHeader(status)
	clear(h)
	maps.Copy(h, own)
}

// passes reports whether an upstream's field goes on to the client.
func (x *exchange) passes(f *request.Field, options string) bool {
	return !drop(f, options, x.o.OwnCookies) && !(x.o.DropCORS && isCORS(f.Name)) && !(x.o.Private && forSharedCaches(f.Name))
}
