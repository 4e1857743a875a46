package proxy

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func TestAnswerHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		own  http.Header
		in   request.Header
		opts string
		o    gateway.Forward
		want http.Header
	}{
		{
			name: "all fields pass, in order, names in their usual spelling",
			in:   request.Header{{Name: "x-a", Value: "1"}, {Name: "X-B", Value: "2"}, {Name: "X-A", Value: "3"}},
			want: http.Header{"X-A": {"1", "3"}, "X-B": {"2"}},
		},
		{
			name: "what belongs to the connection stays",
			in: request.Header{{Name: "Keep-Alive", Value: "1"}, {Name: "upgrade", Value: "h2c"}, {Name: "Trailer", Value: "X"}, {Name: "TE", Value: "x"},
				{Name: "Proxy-Authenticate", Value: "Basic"}, {Name: "Proxy-Authorization", Value: "x"}, {Name: "X-Named", Value: "1"}, {Name: "X-Kept", Value: "1"}},
			opts: "keep-alive, x-named",
			want: http.Header{"X-Kept": {"1"}},
		},
		{
			name: "nobody speaks in our name",
			in: request.Header{{Name: "X-Portreeve-Subject", Value: "root"}, {Name: "x_portreeve_tenant", Value: "root"},
				{Name: "X.Portreeve.Reason", Value: "x"}, {Name: "X-Portreeves", Value: "kept"}},
			want: http.Header{"X-Portreeves": {"kept"}},
		},
		{
			name: "our cookies are ours",
			in: request.Header{{Name: "Set-Cookie", Value: "theirs=1; Path=/"}, {Name: "Set-Cookie", Value: "session=stolen"},
				{Name: "set-cookie", Value: " SESSION = x; HttpOnly"}, {Name: "Set-Cookie", Value: "=session=x"}, {Name: "Set-Cookie", Value: "session"},
				{Name: "Set-Cookie", Value: "sessions=2"}},
			o:    gateway.Forward{OwnCookies: []string{"session"}},
			want: http.Header{"Set-Cookie": {"theirs=1; Path=/", "sessions=2"}},
		},
		{
			name: "what we said stands; Vary and cookies add up",
			own:  http.Header{"X-Request-Id": {"ours"}, "Vary": {"Origin"}, "Set-Cookie": {"a=1"}},
			in:   request.Header{{Name: "X-Request-ID", Value: "theirs"}, {Name: "Vary", Value: "Accept"}, {Name: "Set-Cookie", Value: "b=2"}},
			want: http.Header{"X-Request-Id": {"ours"}, "Vary": {"Origin", "Accept"}, "Set-Cookie": {"a=1", "b=2"}},
		},
		{
			name: "CORS is ours where told",
			in:   request.Header{{Name: "Access-Control-Allow-Origin", Value: "*"}, {Name: "access-control-max-age", Value: "1"}},
			o:    gateway.Forward{DropCORS: true},
			want: http.Header{},
		},
		{
			name: "what would win over private in a shared cache",
			in: request.Header{{Name: "CDN-Cache-Control", Value: "max-age=9"}, {Name: "Cloudflare-CDN-Cache-Control", Value: "max-age=9"},
				{Name: "surrogate-control", Value: "max-age=9"}, {Name: "X-Accel-Expires", Value: "9"}, {Name: "ETag", Value: "e"}},
			o:    gateway.Forward{Private: true},
			want: http.Header{"Cache-Control": {"private"}, "Etag": {"e"}},
		},
		{
			name: "a public route leaves them",
			in:   request.Header{{Name: "CDN-Cache-Control", Value: "max-age=9"}},
			want: http.Header{"Cdn-Cache-Control": {"max-age=9"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := c.own
			if got == nil {
				got = http.Header{}
			}
			relayHead(got, &answer{status: 200, fields: c.in, length: -1, options: c.opts}, &c.o, false)
			if v, ok := got["Content-Type"]; !ok || v != nil {
				t.Error("net/http would guess a Content-Type")
			}
			delete(got, "Content-Type")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrivateAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ said, want string }{
		{"", "private"},
		{"private", "private"},
		{"private, max-age=60", "private, max-age=60"},
		{"no-store", "no-store"},
		{"NO-STORE", "NO-STORE"},
		{"max-age=60", "max-age=60, private"},
		{"no-cache", "no-cache, private"},
		{"public, max-age=60", "max-age=60, private"},
		{"public", "private"},
		{"Public , S-MaxAge=5, immutable", "immutable, private"},
		{"private, public", "private"},
		{`private="Set-Cookie", max-age=5`, "max-age=5, private"},
		{`no-cache="a, public", max-age=5`, `no-cache="a, public", max-age=5, private`},
		{`ext="\", private", max-age=5`, `ext="\", private", max-age=5, private`},
	} {
		h := http.Header{}
		if c.said != "" {
			h.Set("Cache-Control", c.said)
		}
		makePrivate(h)
		if got := h.Get("Cache-Control"); got != c.want || len(h["Cache-Control"]) != 1 {
			t.Errorf("%q became %q, want %q", c.said, got, c.want)
		}
	}
	h := http.Header{"Cache-Control": {"max-age=5", "public"}}
	if makePrivate(h); h.Get("Cache-Control") != "max-age=5, private" {
		t.Errorf("two fields became %q", h)
	}
}
