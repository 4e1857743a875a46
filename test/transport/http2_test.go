package transport

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func h2Edge(t testing.TB, more string) *edge {
	t.Helper()
	return start(t, "environment: test\ntls: {cert: a.pem, key: a.key}\nauth: none\n"+more+`
routes:
  - {path: /own, method: any, response: own}
  - {path: /*, method: any, upstream: "@ECHO@"}
`, newAuthority(t, "ca").issue(t, time.Hour, "a.example.com").files("a"))
}

// expressible turns a head of HTTP/1.1 that is refused into one of HTTP/2 that
// says the same; ok is false where HTTP/2 has no way to say it.
func expressible(head string) (fields []field, ok bool) {
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	if len(lines) == 0 || !strings.HasSuffix(head, "\r\n\r\n") {
		return nil, false
	}
	method, rest, _ := strings.Cut(lines[0], " ")
	at := strings.LastIndex(rest, " ")
	if at < 0 || rest[at+1:] != "HTTP/1.1" {
		return nil, false
	}
	fields = []field{{":method", method}, {":scheme", "https"}, {":path", rest[:at]}}
	var behind []field
	authority := false
	for _, line := range lines[1:] {
		name, value, found := strings.Cut(line, ":")
		if !found || line[0] == ' ' || strings.ContainsAny(line, "\n") {
			return nil, false
		}
		if value = strings.TrimPrefix(value, " "); strings.EqualFold(name, "host") && !authority {
			authority = true
			fields = append(fields, field{":authority", value})
			continue
		}
		behind = append(behind, field{strings.ToLower(name), value})
	}
	return append(fields, behind...), true
}

// What HTTP/1.1 is refused for, HTTP/2 is refused for, where it can say it at
// all: by an answer, by the end of the stream or by that of the connection. The
// application never sees any of it, and the next request is served.
func TestRefusedHeadsAreRefusedByHTTP2(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../internal/wire/testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	e := h2Edge(t, "")
	asked := 0
	for line := range strings.Lines(string(raw)) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) != 3 {
			continue
		}
		head, err := strconv.Unquote(cols[2])
		if err != nil {
			t.Fatal(err)
		}
		fields, ok := expressible(head)
		// net/http takes these fields out of an HTTP/2 head, so that nobody behind it
		// can be led astray: a Trailer that names framing, an Expect that holds
		// 100-continue among others.
		if !ok || cols[1] == "trailer that frames" || cols[1] == "two expectations" {
			continue
		}
		asked++
		for _, host := range []string{":authority", "host"} {
			if cols[1] == "two Hosts" && host == ":authority" {
				continue // which is the authority and one Host that says the same
			}
			these := slices.Clone(fields)
			for i := range these {
				if these[i].name == ":authority" {
					these[i].name = host
				}
			}
			these = ordered(these)
			f := dialFrames(t, e.Addr)
			if o := f.wait(f.request(false, these...)); !o.Refused() {
				t.Errorf("%s (%s): %v\n%q", cols[1], host, o, these)
			}
			_ = f.conn.Close()
		}
	}
	if asked < 40 {
		t.Errorf("only %d heads of the corpus were asked", asked)
	}
	if saw := e.received(); len(saw) > 0 {
		t.Errorf("the application saw %d of them: %+v", len(saw), saw[0])
	}
	f := dialFrames(t, e.Addr)
	if o := f.wait(f.request(false, get("/own")...)); o.Status != "200" || o.Body != "own" {
		t.Errorf("afterwards: %v", o)
	}
}

// ordered puts pseudo-fields before the others.
func ordered(fields []field) (out []field) {
	for _, pseudo := range []bool{true, false} {
		for _, f := range fields {
			if strings.HasPrefix(f.name, ":") == pseudo {
				out = append(out, f)
			}
		}
	}
	return out
}

// What only HTTP/2 can say wrong.
func TestMalformedRequestsOfHTTP2(t *testing.T) {
	t.Parallel()
	e := h2Edge(t, "")
	base := func(swap string, by ...field) (out []field) {
		for _, f := range get("/x") {
			if f.name == swap {
				out = append(out, by...)
				continue
			}
			out = append(out, f)
		}
		if swap == "" {
			out = append(out, by...)
		}
		return out
	}
	for name, fields := range map[string][]field{
		"a name in capitals":                   base("", field{"X-Upper", "1"}),
		"a name with a blank":                  base("", field{"x y", "1"}),
		"a name with a colon":                  base("", field{"x:y", "1"}),
		"no name":                              base("", field{"", "1"}),
		"a line break in a value":              base("", field{"x", "1\r\ny: 2"}),
		"a bare LF in a value":                 base("", field{"x", "1\ny: 2"}),
		"a bare CR in a value":                 base("", field{"x", "1\ry: 2"}),
		"a NUL in a value":                     base("", field{"x", "1\x002"}),
		"a DEL in a value":                     base("", field{"x", "1\x7f2"}),
		"a blank before a value":               base("", field{"x", " 1"}),
		"a blank behind a value":               base("", field{"x", "1 "}),
		"a tab behind a length":                base("", field{"content-length", "0\t"}),
		"a line break in a name":               base("", field{"x\r\ny", "1"}),
		"a line break in the path":             base(":path", field{":path", "/x HTTP/1.1\r\nx: y"}),
		"a blank in the path":                  base(":path", field{":path", "/x y"}),
		"a line break in the method":           base(":method", field{":method", "GET / HTTP/1.1\r\nx: y"}),
		"a blank in the method":                base(":method", field{":method", "GET /y"}),
		"no method":                            base(":method"),
		"no path":                              base(":path"),
		"an empty path":                        base(":path", field{":path", ""}),
		"a path without slash":                 base(":path", field{":path", "x"}),
		"an absolute path":                     base(":path", field{":path", "https://a.example.com/x"}),
		"another's absolute path":              base(":path", field{":path", "https://b.example.com/x"}),
		"a fragment":                           base(":path", field{":path", "/x#y"}),
		"no scheme":                            base(":scheme"),
		"two paths":                            base(":path", field{":path", "/x"}, field{":path", "/y"}),
		"two methods":                          base(":method", field{":method", "GET"}, field{":method", "POST"}),
		"two authorities":                      base(":authority", field{":authority", "a.example.com"}, field{":authority", "b.example.com"}),
		"an unknown pseudo-field":              base(":path", field{":path", "/x"}, field{":own", "1"}),
		"a pseudo-field of answers":            base(":path", field{":path", "/x"}, field{":status", "200"}),
		"a pseudo-field behind the others":     base(":path", field{"x", "1"}, field{":path", "/x"}),
		"another Host":                         base("", field{"host", "b.example.com"}),
		"the Host in capitals":                 base("", field{"host", "A.example.com"}),
		"two Hosts without authority":          ordered(base(":authority", field{"host", "a.example.com"}, field{"host", "a.example.com"})),
		"no host at all":                       base(":authority"),
		"an empty authority":                   base(":authority", field{":authority", ""}),
		"an authority with userinfo":           base(":authority", field{":authority", "b@a.example.com"}),
		"a list of authorities":                base(":authority", field{":authority", "a.example.com,b.example.com"}),
		"an authority with a path":             base(":authority", field{":authority", "a.example.com/x"}),
		"Connection":                           base("", field{"connection", "close"}),
		"Connection that names a field":        base("", field{"connection", "x-portreeve-subject"}),
		"Keep-Alive":                           base("", field{"keep-alive", "1"}),
		"Proxy-Connection":                     base("", field{"proxy-connection", "close"}),
		"Transfer-Encoding":                    base("", field{"transfer-encoding", "chunked"}),
		"Upgrade":                              base("", field{"upgrade", "websocket"}),
		"TE but for trailers":                  base("", field{"te", "gzip"}),
		"two lengths":                          base("", field{"content-length", "0"}, field{"content-length", "5"}),
		"a length that the body does not have": base("", field{"content-length", "5"}),
		"extended CONNECT":                     {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "https"}, {":authority", "a.example.com"}, {":path", "/x"}},
		"CONNECT":                              {{":method", "CONNECT"}, {":authority", "a.example.com:443"}},
		"dot segments":                         base(":path", field{":path", "/x/%2e%2e/own"}),
		"a NUL in the path":                    base(":path", field{":path", "/x%00"}),
		"bytes beyond ASCII in the path":       base(":path", field{":path", "/\xc3\xa4"}),
	} {
		f := dialFrames(t, e.Addr)
		if o := f.wait(f.request(false, fields...)); !o.Refused() {
			t.Errorf("%s: %v", name, o)
		}
		_ = f.conn.Close()
	}
	if saw := e.received(); len(saw) > 0 {
		t.Errorf("the application saw %d of them: %+v", len(saw), saw[0])
	}
	// And what is right is not refused.
	for name, fields := range map[string][]field{
		"the same Host":          base("", field{"host", "a.example.com"}),
		"Host without authority": ordered(base(":authority", field{"host", "a.example.com"})),
		"TE: trailers":           base("", field{"te", "trailers"}),
		"a cookie in crumbs":     base("", field{"cookie", "a=1"}, field{"cookie", "b=2"}),
		"an empty value":         base("", field{"x", ""}),
	} {
		f := dialFrames(t, e.Addr)
		if o := f.wait(f.request(false, fields...)); o.Status != "200" {
			t.Errorf("%s: %v", name, o)
		}
		_ = f.conn.Close()
	}
}

// Limits of a head hold in either protocol.
func TestHeadLimitsOfHTTP2(t *testing.T) {
	t.Parallel()
	e := h2Edge(t, "limits: {headBytes: 8KiB, headers: 20}")
	many := func(n int) (out []field) {
		for i := range n {
			out = append(out, field{"x-" + strconv.Itoa(i), "1"})
		}
		return out
	}
	for name, c := range map[string]struct {
		fields []field
		want   string
	}{
		"few fields":    {many(19), "200"},
		"many fields":   {many(20), "431"},
		"small":         {[]field{{"x", strings.Repeat("v", 7000)}}, "200"},
		"large":         {[]field{{"x", strings.Repeat("v", 8200)}}, "431"},
		"a large path":  {nil, "431"},
		"much too much": {[]field{{"x", strings.Repeat("v", 15000)}, {"y", strings.Repeat("v", 900)}}, "431"},
	} {
		fields := get("/own", c.fields...)
		if c.fields == nil {
			fields = get("/own?" + strings.Repeat("q", 8200))
		}
		f := dialFrames(t, e.Addr)
		if o := f.wait(f.request(false, fields...)); o.Status != c.want {
			t.Errorf("%s: %v, want %s", name, o, c.want)
		}
		_ = f.conn.Close()
	}
}
