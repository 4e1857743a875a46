package transport

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/portreeve/portreeve/internal/app"
)

const (
	smugglingRoutes = `environment: test
tls: {cert: a.pem, key: a.key}
jwt: {secret: 0123456789abcdef0123456789abcdef}
routes:
  - {path: /admin/*, method: any, requireAuth: true, upstream: "@UP@"}
  - {path: /*, method: any, upstream: "@UP@"}
`
	wsKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	wsAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" // of that key: RFC 6455 section 1.3
	ok2      = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	poison   = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	smuggled = "GET /admin/smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
	finally  = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
)

// badAnswer is how the application behaves when it is asked for /do/N.
type badAnswer struct {
	name, method string
	answer       string
	want         string // of the attacker, over HTTP/1.1, /last behind it
	closes       bool   // behind the answer
	endless      bool   // the answer's last line again and again
	late         string // once the answer has arrived
	deaf         bool   // takes what should be a body for requests
	fields       string // of the request
	body         string
	clean        bool // the connection may be used again
}

const chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

var badAnswers = []badAnswer{
	{name: "both lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + poison, want: "502 200"},
	{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 80\r\n\r\nok" + poison, want: "502 200"},
	{name: "a list of lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok" + poison, want: "502 200"},
	{name: "a blank before the colon", answer: "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok" + poison, want: "502 200"},
	{name: "an unknown coding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n" + poison, want: "502 200"},
	{name: "a bare LF", answer: "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nok" + poison, want: "502 200"},
	{name: "an endless head", answer: "HTTP/1.1 200 OK\r\nX: y\r\n", endless: true, want: "502 200"},
	{name: "an endless line", answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 100_000), endless: true, want: "502 200"},
	{name: "a flood of 1xx", answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100) + ok2, want: "502 200"},
	{name: "an endless flood of 100", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), endless: true, want: "502 200"},
	{name: "1xx with a body", answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 6\r\n\r\npoison" + ok2, want: "502 200"},
	{name: "unasked 101", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " + wsAccept + "\r\n\r\n" + poison, want: "502 200"},
	{name: "100, then unasked 101", answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + poison, want: "502 200"},
	{name: "half a head", answer: "HTTP/1.1 200 OK\r\nContent-Le", closes: true, want: "502 200"},
	{name: "no answer", closes: true, method: "POST", want: "502 200"},
	{name: "a cut body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\npart", closes: true, want: "200 cut"},
	{name: "a cut body in chunks", answer: chunkedHead + "4\r\npart\r\n", closes: true, want: "200 cut"},
	{name: "a chunk longer than it says", answer: chunkedHead + "4\r\npartpart\r\n0\r\n\r\n" + poison, want: "200 cut"},
	{name: "a chunk of 2^68 bytes", answer: chunkedHead + "4\r\npart\r\n100000000000000002\r\nok\r\n0\r\n\r\n" + poison, want: "200 cut"},
	{name: "a chunk line that ends in LF", answer: chunkedHead + "4\r\npart\r\n2\nok\r\n0\r\n\r\n" + poison, want: "200 cut"},
	{name: "trailers that are none", answer: chunkedHead + "4\r\npart\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n" + poison, want: "200 cut"},
	{name: "trailers that frame", answer: chunkedHead + "2\r\nok\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n", want: "200 200", clean: true},
	{name: "204 with a body", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison", want: "502 200"},
	{name: "304 with a body", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\npoison", want: "304 200"},
	{name: "an answer to HEAD with a body", method: "HEAD", answer: poison, want: "200 200"},
	{name: "an answer to HEAD with chunks", method: "HEAD", answer: chunkedHead + "6\r\npoison\r\n0\r\n\r\n", want: "200 200"},
	{name: "an answer to HEAD with a late body", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n", late: "poison", want: "200"},
	{name: "two answers", answer: ok2 + poison, want: "200 200"},
	{name: "an answer and a line break", answer: ok2 + "\r\n", want: "200 200"},
	{name: "two answers, the second late", answer: ok2, late: poison, want: "200"},
	{name: "a late half head", answer: ok2, late: "HTTP/1.1 200 OK\r\nX-Ours: ", want: "200"},
	{name: "a late 100", answer: ok2, late: "HTTP/1.1 100 Continue\r\n\r\n", want: "200"},
	{name: "bodies taken for requests", method: "POST", body: smuggled, deaf: true, want: "200"},
	{name: "a body of GET taken for a request", body: smuggled, deaf: true, want: "200"},
	{name: "an upgrade refused", fields: "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + wsKey + "\r\n", answer: ok2, want: "200"},
	{name: "another's upgrade", fields: "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + wsKey + "\r\n",
		answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n" + poison, want: "502"},
}

// The application behaves badly for one client; the other always gets its own
// answer, and no connection is used again after such an answer.
func TestBadAnswersReachNobodyElse(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP/1.1", true: "HTTP/2"}[h2], func(t *testing.T) {
			t.Parallel()
			s := newSmuggling(t)
			for i, bad := range badAnswers {
				if bad.method == "" {
					bad.method = "GET"
				}
				target := fmt.Sprintf("/do/%d", i)
				got, want := "", bad.want
				s.victimAsks(bad.name + ", before")
				if h2 {
					if bad.fields != "" {
						continue // HTTP/2 cannot ask for an upgrade
					}
					want = strings.TrimSuffix(want, " 200")
					got = s.over2(bad.method, target, bad.body)
				} else {
					if bad.body != "" {
						bad.fields += fmt.Sprintf("Content-Length: %d\r\n", len(bad.body))
					}
					behind := finally
					if bad.late != "" || bad.deaf { // which /last would meet
						bad.fields, behind = bad.fields+"Connection: close\r\n", ""
					}
					got = s.over1(bad.method == "HEAD", bad.method+" "+target+" HTTP/1.1\r\nHost: a\r\n"+bad.fields+"\r\n"+bad.body+behind)
				}
				if got != want {
					t.Errorf("%s: the attacker got %q, want %q", bad.name, got, want)
				}
				if bad.late != "" {
					s.up.release <- struct{}{}
					<-s.up.done
				}
				s.victimAsks(bad.name + ", after")
			}
			s.up.settled()
			if s.up.pooled < len(badAnswers)/2 {
				t.Errorf("only %d attacks went over pooled connections", s.up.pooled)
			}
		})
	}
}

// rawAttack is what a client sends, and all that the application may see of it.
type rawAttack struct{ name, payload, want, saw string }

func head1(method, target string, fields ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(fields, "\r\n"), "\r\n")
}

func sized(s string) string { return fmt.Sprintf("Content-Length: %d", len(s)) }

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

const (
	te = "Transfer-Encoding: chunked"
	ws = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + wsKey
)

func rawAttacks() []rawAttack {
	all := []rawAttack{
		{"CL.TE", head1("POST", "/a", sized("0\r\n\r\n"+smuggled), te) + "0\r\n\r\n" + smuggled, "400", ""},
		{"TE.CL", head1("POST", "/a", te, "Content-Length: 4") + chunk(smuggled) + "0\r\n\r\n", "400", ""},
		{"CL.0", head1("POST", "/a", "Content-Length: 0") + finally, "200 200", "POST /a|GET /last"},
		{"CL.CL", head1("POST", "/a", "Content-Length: 0", sized(smuggled)) + smuggled, "400", ""},
		{"a list of lengths", head1("POST", "/a", "Content-Length: 0, 60") + smuggled, "400", ""},
		{"HTTP/1.0 in chunks", "POST /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n" + te + "\r\n\r\n0\r\n\r\n" + smuggled, "400", ""},
		{"a body of GET", head1("GET", "/a", sized(smuggled)) + smuggled, "200 200", "GET /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"a body of GET in chunks", head1("GET", "/a", te) + chunk(smuggled) + "0\r\n\r\n", "200 200", "GET /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"a body of HEAD", head1("HEAD", "/a", sized(smuggled)) + smuggled, "200 200", "HEAD /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"a body of OPTIONS", head1("OPTIONS", "/a", sized(smuggled)) + smuggled, "200 200", "OPTIONS /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"a body that says there is more to come", head1("POST", "/a", "Expect: 100-continue", sized(smuggled)) + smuggled, "200 200", "POST /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"an expectation in disguise", head1("POST", "/a", "Expect: 100-continue, x", sized(smuggled)) + smuggled, "400", ""},
		{"a body for a route that is guarded", head1("POST", "/admin/x", sized(smuggled)) + smuggled, "401 200", "GET /last"},
		{"chunks for a route that is guarded", head1("POST", "/admin/x", te) + chunk(smuggled) + "0\r\n\r\n", "401 200", "GET /last"},
		{"pipelining", head1("GET", "/a") + head1("GET", "/b") + head1("POST", "/c", "Content-Length: 1") + "x", "200 200 200 200", "GET /a|GET /b|POST /c +1|GET /last"},
		{"pipelining, a guarded one between", head1("GET", "/a") + smuggled + head1("GET", "/c"), "200 401 200 200", "GET /a|GET /c|GET /last"},
		{"pipelining, a refused one between", head1("GET", "/a") + head1("GET", "/b", "Transfer-Encoding : chunked") + smuggled, "200 400", "GET /a"},
		{"another's absolute target", "GET http://b/admin/smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "400", ""},
		{"a line break in the target", "GET /a%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n", "400 200", "GET /last"},
		{"an upgrade with pipelined bytes", head1("GET", "/ws", ws) + smuggled, "101 tunnel", "GET /ws"},
		{"a refused upgrade with pipelined bytes", head1("GET", "/a", ws) + smuggled, "200", "GET /a"},
		{"a guarded upgrade with pipelined bytes", head1("GET", "/admin/ws", ws) + smuggled, "401", ""},
		{"an upgrade with a body", head1("GET", "/ws", ws, sized(smuggled)) + smuggled, "400", ""},
		{"an upgrade to h2c with its preface", head1("GET", "/a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__") + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "200 505", "GET /a"},
		{"Connection that names the length", head1("POST", "/a", "Connection: content-length, host, transfer-encoding", sized(smuggled)) + smuggled, "200 200", "POST /a +" + strconv.Itoa(len(smuggled)) + "|GET /last"},
		{"a Trailer that frames", head1("POST", "/a", te, "Trailer: content-length") + "0\r\nContent-Length: 60\r\n\r\n" + smuggled, "400", ""},
	}
	for _, v := range []string{"Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: chunked, identity",
		"Transfer-Encoding: identity, chunked", "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding:\r\n chunked", "X: y\r\n Transfer-Encoding: chunked",
		"Transfer_Encoding: chunked", "X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked", te + "\r\n" + te, te + "\r\ntransfer-encoding: identity", "Transfer-Encoding: chunked;x", "Transfer-Encoding:"} {
		all = append(all, rawAttack{fmt.Sprintf("TE %q", v), head1("POST", "/a", v) + "0\r\n\r\n" + smuggled, "400", ""},
			rawAttack{fmt.Sprintf("TE %q and a length", v), head1("POST", "/a", v, sized("0\r\n\r\n"+smuggled)) + "0\r\n\r\n" + smuggled, "400", ""})
	}
	for _, v := range []string{"0\n\n", "0\r\n\n", "2\nok\r\n0\r\n\r\n", "2\r\nok0\r\n\r\n", "2\r\nokok\r\n0\r\n\r\n", "+2\r\nok\r\n0\r\n\r\n", "0x2\r\nok\r\n0\r\n\r\n", "-0\r\n\r\n", "2 3\r\nok\r\n0\r\n\r\n",
		"10000000000000002\r\nok\r\n0\r\n\r\n", "2;\nx\r\nok\r\n0\r\n\r\n", "2;x\ry\r\nok\r\n0\r\n\r\n", "\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nContent-Length: 60\r\n\r\n",
		"0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: b\r\n\r\n", "0\r\nGET /admin/smuggled HTTP/1.1\r\n\r\n"} {
		all = append(all, rawAttack{fmt.Sprintf("chunks %q", v), head1("POST", "/a", te) + v + smuggled, "400", ""})
	}
	return all
}

// Whatever a client sends, the application sees the requests that were allowed
// and no others, and the other client gets its own answers.
func TestSmuggledRequestsAreNeverForwarded(t *testing.T) {
	t.Parallel()
	s := newSmuggling(t)
	for _, a := range rawAttacks() {
		s.victimAsks(a.name + ", before")
		s.up.forget()
		got := s.over1(strings.HasPrefix(a.payload, "HEAD"), a.payload+finally)
		saw := s.up.others()
		if got == a.want && saw == a.saw {
			s.victimAsks(a.name + ", after")
			continue
		}
		// An answer that comes before the body was read to its end closes: then
		// /last is neither answered nor seen.
		if got+" 200" != a.want || strings.TrimPrefix(saw+"|GET /last", "|") != a.saw {
			t.Errorf("%s: the attacker got %q, want %q; the application saw %q, want %q", a.name, got, a.want, saw, a.saw)
		}
		s.victimAsks(a.name + ", after")
	}
	s.up.settled()
}

// An answer that comes before the body: what follows is the body still, on
// neither side a request.
func TestAnEarlyAnswerLeavesABodyABody(t *testing.T) {
	t.Parallel()
	s := newSmuggling(t)
	for _, framing := range []string{sized(smuggled), te, te + "\r\nExpect: 100-continue", sized(smuggled) + "\r\nExpect: 100-continue"} {
		for _, target := range []string{"/early", "/admin/early"} {
			if target != "/early" && !strings.Contains(framing, "Expect") {
				continue // a refusal comes behind so short a body
			}
			s.victimAsks("before")
			s.up.forget()
			c, in := s.dial()
			_, _ = io.WriteString(c, head1("POST", target, framing))
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != map[string]int{"/early": 200, "/admin/early": 401}[target] {
				t.Fatalf("%s %s: %v %v", target, framing, res, err)
			}
			_, _ = io.WriteString(c, smuggled+finally)
			_, _ = io.Copy(io.Discard, res.Body)
			if more, err := http.ReadResponse(in, nil); err == nil && more.StatusCode != 400 {
				t.Errorf("%s %s: what followed was answered %s", target, framing, more.Status)
			}
			_ = c.Close()
			s.victimAsks("after")
			if saw := s.up.others(); saw != "" {
				t.Errorf("%s %s: the application saw %q", target, framing, saw)
			}
		}
	}
	s.up.settled()
}

// HTTP/2 has its own ways to say where a request ends.
func TestSmugglingByHTTP2(t *testing.T) {
	t.Parallel()
	s := newSmuggling(t)
	post := func(more ...field) []field {
		fields := get("/a", more...)
		fields[0].value = "POST"
		return fields
	}
	for _, a := range []struct {
		name    string
		head    []field
		trailer []field
		refused bool
	}{
		{name: "a length of 0", head: post(field{"content-length", "0"}), refused: true},
		{name: "a length that is short", head: post(field{"content-length", "7"}), refused: true},
		{name: "a length that is long", head: post(field{"content-length", "700"}), refused: true},
		{name: "two lengths", head: post(field{"content-length", "0"}, field{"content-length", strconv.Itoa(len(smuggled))}), refused: true},
		{name: "chunked", head: post(field{"transfer-encoding", "chunked"}), refused: true},
		{name: "chunked by a line break", head: post(field{"x", "y\r\nTransfer-Encoding: chunked"}), refused: true},
		{name: "a request in a name", head: post(field{"x: y\r\n\r\nGET /admin/smuggled HTTP/1.1\r\nx", "y"}), refused: true},
		{name: "a request in the path", head: get("/a HTTP/1.1\r\nHost: a\r\n\r\nGET /admin/smuggled"), refused: true},
		{name: "a request in the method", head: append([]field{{":method", "GET /admin/smuggled HTTP/1.1\r\nX: y"}}, get("/a")[1:]...), refused: true},
		{name: "an upgrade", head: post(field{"connection", "upgrade"}, field{"upgrade", "h2c"}), refused: true},
		{name: "a pseudo-field behind the body", head: post(), trailer: []field{{":path", "/admin/smuggled"}}, refused: true},
		{name: "a body", head: post()},
		{name: "a body of GET", head: get("/a")},
		{name: "trailers that frame", head: post(field{"trailer", "content-length, transfer-encoding"}), trailer: []field{{"content-length", "0"}, {"host", "b"}}},
	} {
		s.victimAsks(a.name + ", before")
		s.up.forget()
		f := dialFrames(t, s.edge.Addr)
		stream := f.request(true, a.head...)
		_ = f.fr.WriteData(stream, a.trailer == nil, []byte(smuggled))
		if a.trailer != nil {
			_ = f.fr.WriteHeaders(trailers(f, stream, a.trailer))
		}
		o := f.wait(stream)
		_ = f.conn.Close()
		switch {
		case a.refused && !o.Refused():
			t.Errorf("%s: %v", a.name, o)
		case a.refused && s.up.others() != "" && !(a.name == "a length of 0" && s.up.others() == "POST /a"): // the DATA that make it malformed come later
			t.Errorf("%s: the application saw %s", a.name, s.up.others())
		case !a.refused && (o.Status != "200" || s.up.others() != a.head[0].value+" /a +"+strconv.Itoa(len(smuggled))):
			t.Errorf("%s: %v, the application saw %q", a.name, o, s.up.others())
		}
		s.victimAsks(a.name + ", after")
	}
	s.up.settled()
}

// smuggling is an edge with an attacker and a victim before it and one
// application behind.
type smuggling struct {
	t       testing.TB
	edge    *edge
	up      *careless
	victims []*http.Client
	token   string
	asked   int
}

func newSmuggling(t testing.TB) *smuggling {
	t.Helper()
	up := newCareless(t)
	ca := newAuthority(t, "ca")
	e := start(t, strings.ReplaceAll(smugglingRoutes, "@UP@", "http://"+up.addr), ca.issue(t, time.Hour, "a.example.com").files("a"))
	token, err := app.Token(app.Source{Path: filepath.Join(e.Dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }},
		app.TokenRequest{Subject: "victim", Expires: time.Hour, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{RootCAs: ca.Pool, ServerName: "a.example.com"}
	return &smuggling{t: t, edge: e, up: up, token: token, victims: []*http.Client{e.client(c, false), e.client(c.Clone(), true)}}
}

// victimAsks sends the victim's requests, by either protocol.
func (s *smuggling) victimAsks(when string) {
	s.t.Helper()
	for _, c := range s.victims {
		s.asked++
		target := fmt.Sprintf("/admin/victim/%d", s.asked)
		a, err := try(c, "GET", "https://a.example.com"+target, "Authorization", "Bearer "+s.token)
		if want := "GET " + target + " victim"; err != nil || a.Status != 200 || a.Body != want {
			s.t.Fatalf("%s: the victim got %d %q %v, want %q", when, a.Status, a.Body, err, want)
		}
	}
}

func (s *smuggling) dial() (net.Conn, *bufio.Reader) {
	s.t.Helper()
	c, err := tls.Dial("tcp", s.edge.Addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c, bufio.NewReader(c)
}

// over1 sends bytes on a connection of their own and says what came back until
// it ended.
func (s *smuggling) over1(isHead bool, payload string) string {
	s.t.Helper()
	c, in := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, payload)
	var got []string
	req := &http.Request{Method: map[bool]string{false: "GET", true: "HEAD"}[isHead]}
	for {
		res, err := http.ReadResponse(in, req)
		if err != nil {
			if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
				got = append(got, "silence")
			}
			return strings.Join(got, " ")
		}
		switch {
		case res.StatusCode == 101:
			return strings.Join(append(got, "101 tunnel"), " ")
		case res.StatusCode < 200:
			continue
		}
		got, req = append(got, strconv.Itoa(res.StatusCode)), nil
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return strings.Join(append(got, "cut"), " ")
		}
		if strings.Contains(string(body), "poison") || strings.Contains(fmt.Sprint(res.Header, res.Trailer), "oison") {
			got = append(got, "poison")
		}
	}
}

// over2 is over1 for one request of HTTP/2.
func (s *smuggling) over2(method, target, body string) string {
	s.t.Helper()
	f := dialFrames(s.t, s.edge.Addr)
	defer f.conn.Close()
	fields := get(target)
	fields[0].value = method
	stream := f.request(body != "", fields...)
	if body != "" {
		_ = f.fr.WriteData(stream, true, []byte(body))
	}
	o := f.wait(stream)
	switch {
	case strings.Contains(o.Body, "poison"):
		return o.Status + " poison"
	case o.Reset != 0 || o.Gone:
		return o.Status + " cut"
	}
	return o.Status
}

// careless is an application that behaves badly when asked to. It reads
// requests strictly, and complains of what no front may send.
type careless struct {
	t             testing.TB
	addr          string
	release, done chan struct{}

	mu     sync.Mutex
	saw    []string
	spoilt int // connections that must end, and have not
	pooled int // attacks by connections that were used before
}

func newCareless(t testing.TB) *careless {
	l := listen(t)
	u := &careless{t: t, addr: l.Addr().String(), release: make(chan struct{}), done: make(chan struct{})}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() { defer c.Close(); u.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return u
}

func (u *careless) forget() { u.mu.Lock(); u.saw = nil; u.mu.Unlock() }

// others are the requests that were not the victim's.
func (u *careless) others() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return strings.Join(slices.DeleteFunc(slices.Clone(u.saw), func(s string) bool { return strings.Contains(s, "/victim/") }), "|")
}

// settled waits until every connection that was spoilt has ended.
func (u *careless) settled() {
	u.t.Helper()
	eventually(u.t, "the end of spoilt connections", func() bool { u.mu.Lock(); defer u.mu.Unlock(); return u.spoilt == 0 })
}

func (u *careless) serve(c net.Conn) {
	in := bufio.NewReader(c)
	spoilt := ""
	defer func() {
		if spoilt != "" {
			u.mu.Lock()
			u.spoilt--
			u.mu.Unlock()
		}
	}()
	spoil := func(by string) {
		if spoilt == "" {
			spoilt = by
			u.mu.Lock()
			u.spoilt++
			u.mu.Unlock()
		}
	}
	for nth := 1; ; nth++ {
		r, err := u.head(in)
		if err != nil {
			if err != io.EOF && spoilt == "" {
				u.t.Errorf("the application got no request: %v", err)
			}
			return
		}
		if spoilt != "" && !strings.HasPrefix(spoilt, "deaf") {
			u.t.Errorf("the connection was used again after %s: %s %s", spoilt, r.method, r.target)
			return
		}
		if number, ok := strings.CutPrefix(r.target, "/do/"); ok {
			i, _ := strconv.Atoi(number)
			bad := badAnswers[i]
			if nth > 1 {
				u.mu.Lock()
				u.pooled++
				u.mu.Unlock()
			}
			if bad.deaf {
				spoil("deaf: " + bad.name)
				_, _ = io.WriteString(c, ok2)
				continue
			}
			if !bad.clean {
				spoil(bad.name)
			}
			_, _ = io.Copy(io.Discard, r.body)
			if !bad.do(u, c) {
				return
			}
			continue
		}
		if spoilt != "" { // what stood in the body
			_, _ = io.WriteString(c, poison)
			continue
		}
		if strings.Contains(r.target, "smuggled") {
			u.t.Errorf("the application got %s %s", r.method, r.target)
		}
		if strings.HasSuffix(r.target, "/early") {
			spoil("an early answer")
			_, _ = io.WriteString(c, ok2)
			_, _ = io.Copy(io.Discard, in)
			return
		}
		n, err := io.Copy(io.Discard, r.body)
		if err != nil {
			spoil("a body that broke off")
			return
		}
		line := r.method + " " + r.target
		if n > 0 {
			line += fmt.Sprintf(" +%d", n)
		}
		u.mu.Lock()
		u.saw = append(u.saw, line)
		u.mu.Unlock()
		switch {
		case r.target == "/ws":
			spoil("an upgrade")
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: "+wsAccept+"\r\n\r\n")
			_, _ = io.Copy(io.Discard, in)
			return
		case r.upgrade:
			spoil("a refused upgrade")
		}
		body := strings.TrimSpace(r.method + " " + r.target + " " + r.subject)
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(body))
		if r.method != "HEAD" {
			answer += body
		}
		_, _ = io.WriteString(c, answer)
	}
}

// do answers badly; it reports whether the connection goes on.
func (b *badAnswer) do(u *careless, c net.Conn) bool {
	_, err := io.WriteString(c, b.answer)
	line := b.answer[strings.LastIndex(strings.TrimSuffix(b.answer, "\r\n"), "\n")+1:]
	if strings.HasSuffix(b.answer, "\r\n\r\n") {
		line = b.answer
	}
	for b.endless && err == nil {
		_, err = io.WriteString(c, line)
	}
	if b.late != "" {
		<-u.release
		_, _ = io.WriteString(c, b.late)
		u.done <- struct{}{}
	}
	return !b.closes && err == nil
}

type readRequest struct {
	method, target, subject string
	upgrade                 bool
	body                    io.Reader
}

// head reads a request's head, to the letter.
func (u *careless) head(in *bufio.Reader) (*readRequest, error) {
	var lines []string
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			if line != "" || len(lines) > 0 {
				return nil, fmt.Errorf("%q: %w", append(lines, line), err)
			}
			return nil, io.EOF
		}
		if !strings.HasSuffix(line, "\r\n") {
			return nil, fmt.Errorf("a line %q", line)
		}
		if line = strings.TrimSuffix(line, "\r\n"); line == "" {
			break
		}
		lines = append(lines, line)
	}
	words := strings.Split(lines[0], " ")
	if len(words) != 3 || words[2] != "HTTP/1.1" {
		return nil, fmt.Errorf("a request line %q", lines[0])
	}
	r := &readRequest{method: words[0], target: words[1], body: strings.NewReader("")}
	framed := 0
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch strings.ToLower(name) {
		case "content-length":
			n, err := strconv.Atoi(value)
			if err != nil {
				return nil, err
			}
			r.body = &exactly{in, n}
			framed++
		case "transfer-encoding":
			if value != "chunked" {
				return nil, errors.New(line)
			}
			r.body = &chunks{in: in}
			framed++
		case "x-portreeve-subject":
			r.subject = value
		case "upgrade":
			r.upgrade = true
		}
	}
	if framed > 1 {
		return nil, fmt.Errorf("two framings: %q", lines)
	}
	return r, nil
}

// exactly is a body of known length; io.EOF before its end is none.
type exactly struct {
	in   io.Reader
	left int
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.in.Read(p[:min(len(p), e.left)])
	if e.left -= n; err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunks is a chunked body, trailers and all, decoded when it is first read.
type chunks struct {
	in   *bufio.Reader
	all  bytes.Buffer
	read bool
	err  error
}

func (c *chunks) Read(p []byte) (int, error) {
	if !c.read {
		c.read, c.err = true, c.decode()
	}
	if c.err != nil {
		return 0, c.err
	}
	return c.all.Read(p)
}

func (c *chunks) decode() error {
	for last := false; ; {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		if last { // trailers
			if line == "\r\n" {
				return nil
			}
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSuffix(line, "\r\n"), 16, 31)
		if err != nil {
			return err
		}
		if last = n == 0; last {
			continue
		}
		if _, err := io.CopyN(&c.all, c.in, int64(n)); err != nil {
			return io.ErrUnexpectedEOF
		}
		if _, err := c.in.Discard(2); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
}

func trailers(f *frames, stream uint32, fields []field) http2.HeadersFrameParam {
	return http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.block(fields...), EndStream: true, EndHeaders: true}
}
