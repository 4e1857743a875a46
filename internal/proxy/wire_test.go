package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// wireTap is an upstream that hands over every head exactly as it came.
func wireTap(t testing.TB) (Settings, chan string) {
	heads := make(chan string, 64)
	return rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		for {
			head, err := readHead(in)
			if err != nil {
				return
			}
			heads <- head
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
	}), heads
}

// send forwards o without a front.
func send(u *Upstream, o *gateway.Forward) (int, string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/not-looked-at?x", nil)
	r.Header.Set("X-Not-Looked-At", "1")
	r.Header.Set("User-Agent", "not looked at")
	status, _, f := u.Serve(w, r, o)
	if f != nil {
		return status, f.Code
	}
	return status, ""
}

var pathCorpus = []string{
	"/", "/a", "/a/", "/a/b/c", "/%2F", "/a%2Fb", "/a%5Cb", "/a;b=c", "/a%3Bb", "/a//b", "/%C3%A9", "/%F0%9F%98%80",
	"/a+b", "/a%20b", "/a%25b", "/%2525", "/a:b@c", "/~user/!$&'()*+,=", "/...", "/.well-known/x", "/a/...", "/%23",
	"/%3F", "/a%3Fb", "/http://evil.example/", "/@evil.example", "/\\evil", "/a|b^c`d{e}\"<>",
}

var queryCorpus = []string{
	"", "a=1", "a=1&b=2", "?", "??", "a?b", "/../", "a=%", "a=%zz", "%2e%2e/", "a;b", "&&&", "=", "a=b=c", "a=+%20",
	"url=http://x/?y=z", "a='\"<>", "\\", "a=\xc3\xa9", "{}|^`",
}

// P1: what was matched is what is forwarded, byte for byte.
func TestTargetOnTheWireIsTheTargetGiven(t *testing.T) {
	t.Parallel()
	set, heads := wireTap(t)
	u := New(set, Deps{})
	t.Cleanup(u.Close)
	same := func(t interface{ Errorf(string, ...any) }, path, query string, has bool) {
		o := &gateway.Forward{Method: "GET", Path: path, Query: query, HasQuery: has, Host: "app.example"}
		if status, code := send(u, o); status != 204 {
			t.Errorf("%q ? %q: status %d %s", path, query, status, code)
			return
		}
		want := "GET " + path
		if has {
			want += "?" + query
		}
		if got := <-heads; got != want+" HTTP/1.1\r\nHost: app.example\r\n\r\n" {
			t.Errorf("on the wire %q, want %q", got, want)
		}
	}
	for _, p := range pathCorpus {
		for _, q := range queryCorpus {
			same(t, p, q, true)
		}
		same(t, p, "", false)
	}
	path, query := canonicalPath(), rapid.StringMatching(`[!$-~]{0,40}`)
	rapid.Check(t, func(t *rapid.T) {
		has := rapid.Bool().Draw(t, "has query")
		q := ""
		if has {
			q = query.Draw(t, "query")
		}
		same(t, path.Draw(t, "path"), q, has)
	})
}

// canonicalPath draws paths as the canonical form of a target spells them, the
// relaxations of a site included.
func canonicalPath() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"a", "B", "0", "-", ".", "_", "~", "!", "$", "&", "'", "(", ")", "*", "+", ",", "=", ":", "@",
		"%20", "%25", "%2F", "%5C", "%3B", ";", "%3F", "%23", "%C3%A9", "%E2%82%AC", "\\", "%22", "%3C"})
	segment := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
	})
	rules := request.PathRules{Allow: request.EncodedSlash | request.Semicolon | request.Empty}
	return rapid.Custom(func(t *rapid.T) string {
		return "/" + strings.Join(rapid.SliceOfN(segment, 0, 6).Draw(t, "segments"), "/")
	}).Filter(func(s string) bool {
		t := request.ParseTarget(s, rules, nil)
		return len(t.Problems) == 0 && t.Path.String() == s
	})
}

// P2: the upstream gets this list of headers and nothing else, in this order
// and spelling.
func TestHeadersOnTheWireAreTheHeadersGiven(t *testing.T) {
	t.Parallel()
	set, heads := wireTap(t)
	u := New(set, Deps{})
	t.Cleanup(u.Close)
	o := get("/x")
	o.Header = request.Header{
		{Name: "x-Odd-CASE", Value: "1"}, {Name: "Accept", Value: "b"}, {Name: "accept", Value: "a"}, {Name: "X-Empty", Value: ""},
		{Name: "X-Tab", Value: "a\tb"}, {Name: "X-High", Value: "caf\xe9"}, {Name: "Cookie", Value: "a=1"}, {Name: "Cookie", Value: "b=2"},
		{Name: "X-Portreeve-Subject", Value: "alice"},
		// What frames a body or belongs to a connection stays here, however it is spelled.
		{Name: "Content-Length", Value: "7"}, {Name: "content_length", Value: "7"}, {Name: "Transfer-Encoding", Value: "chunked"},
		{Name: "Transfer_Encoding", Value: "chunked"}, {Name: "Connection", Value: "X-Portreeve-Subject"}, {Name: "Host", Value: "evil"},
		{Name: "HOST", Value: "evil"}, {Name: "TE", Value: "trailers"}, {Name: "Trailer", Value: "X"}, {Name: "Upgrade", Value: "websocket"},
		{Name: "Keep-Alive", Value: "1"}, {Name: "Proxy-Connection", Value: "close"}, {Name: "HTTP2-Settings", Value: "x"},
	}
	if status, code := send(u, o); status != 204 {
		t.Fatal(status, code)
	}
	want := "GET /x HTTP/1.1\r\nHost: app.example\r\nx-Odd-CASE: 1\r\nAccept: b\r\naccept: a\r\nX-Empty: \r\nX-Tab: a\tb\r\nX-High: caf\xe9\r\n" +
		"Cookie: a=1\r\nCookie: b=2\r\nX-Portreeve-Subject: alice\r\nContent-Length: 0\r\n\r\n"
	if diff := cmp.Diff(want, <-heads); diff != "" {
		t.Error(diff)
	}
}

// A head that could be read back as another one is not sent.
func TestNoHeadIsForwardedInDoubt(t *testing.T) {
	t.Parallel()
	set, heads := wireTap(t)
	u := New(set, Deps{})
	t.Cleanup(u.Close)
	for name, spoil := range map[string]func(*gateway.Forward){
		"path with a blank":           func(o *gateway.Forward) { o.Path = "/a HTTP/1.1" },
		"path with a line break":      func(o *gateway.Forward) { o.Path = "/a\r\nX: y" },
		"path with a fragment":        func(o *gateway.Forward) { o.Path = "/a#b" },
		"path with two slashes first": func(o *gateway.Forward) { o.Path = "//evil.example/" },
		"path without a slash":        func(o *gateway.Forward) { o.Path = "a" },
		"no path":                     func(o *gateway.Forward) { o.Path = "" },
		"absolute form":               func(o *gateway.Forward) { o.Path = "http://evil.example/" },
		"query with a blank":          func(o *gateway.Forward) { o.HasQuery, o.Query = true, "a b" },
		"query with a line break":     func(o *gateway.Forward) { o.HasQuery, o.Query = true, "a\nb" },
		"query with a fragment":       func(o *gateway.Forward) { o.HasQuery, o.Query = true, "a#b" },
		"method with a blank":         func(o *gateway.Forward) { o.Method = "GET /" },
		"no method":                   func(o *gateway.Forward) { o.Method = "" },
		"host with a line break":      func(o *gateway.Forward) { o.Host = "a\r\nX: y" },
		"no host":                     func(o *gateway.Forward) { o.Host = "" },
		"name with a colon":           func(o *gateway.Forward) { o.Header = request.Header{{Name: "A:", Value: "b"}} },
		"name with a blank":           func(o *gateway.Forward) { o.Header = request.Header{{Name: "A ", Value: "b"}} },
		"no name":                     func(o *gateway.Forward) { o.Header = request.Header{{Name: "", Value: "b"}} },
		"value with a line break":     func(o *gateway.Forward) { o.Header = request.Header{{Name: "A", Value: "b\r\nC: d"}} },
		"value with a bare CR":        func(o *gateway.Forward) { o.Header = request.Header{{Name: "A", Value: "b\rC: d"}} },
		"value with NUL":              func(o *gateway.Forward) { o.Header = request.Header{{Name: "A", Value: "b\x00"}} },
	} {
		o := get("/")
		spoil(o)
		if status, code := send(u, o); status != 0 || code != "outgoing_head" {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
	if len(heads) != 0 {
		t.Errorf("the upstream got %q", <-heads)
	}
}

// What Host and methods look like on the wire, body or not.
func TestRequestFraming(t *testing.T) {
	t.Parallel()
	set, heads := wireTap(t)
	f := newFront(t, set, func(o *gateway.Forward, _ *http.Request) { o.Header = nil })
	for _, c := range []struct{ in, want string }{
		{"GET / HTTP/1.1\r\nHost: h\r\n", ""},
		{"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n", ""},
		{"DELETE / HTTP/1.1\r\nHost: h\r\n", ""},
		{"POST / HTTP/1.1\r\nHost: h\r\n", "Content-Length: 0\r\n"},
		{"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n", "Content-Length: 0\r\n"},
		{"PROPFIND / HTTP/1.1\r\nHost: h\r\n", ""},
	} {
		f.rawAsk(t, c.in+"Connection: close\r\n\r\n")
		first, _, _ := strings.Cut(c.in, "\r\n")
		if got, want := <-heads, first+"\r\nHost: h\r\n"+c.want+"\r\n"; got != want {
			t.Errorf("%q: on the wire %q, want %q", c.in, got, want)
		}
	}
}
