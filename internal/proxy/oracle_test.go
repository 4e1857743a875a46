package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/gateway"
)

// talkative answers in many ways, by path; it repeats what it got.
func talkative(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Saw", fmt.Sprintf("%s %s %s %q te=%v len=%d", r.Method, r.RequestURI, r.Host, body, r.TransferEncoding, r.ContentLength))
	w.Header()["X-Multi"] = []string{"a", "b", ""}
	switch r.URL.Path {
	case "/204":
		w.WriteHeader(204)
	case "/304":
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(304)
	case "/404":
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(404)
		_, _ = io.WriteString(w, "not here")
	case "/302":
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(302)
	case "/hints":
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(103)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "after hints")
	case "/hop":
		w.Header().Set("Connection", "X-Secret")
		w.Header().Set("X-Secret", "1")
		w.Header().Set("Keep-Alive", "timeout=5")
		_, _ = io.WriteString(w, "hop")
	case "/stream":
		for i := range 5 {
			_, _ = fmt.Fprintf(w, "piece %d;", i)
			_ = http.NewResponseController(w).Flush()
		}
	case "/large":
		_, _ = w.Write(bytes.Repeat([]byte("x"), 300_000))
	case "/trailer":
		w.Header().Set("Trailer", "X-T")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-T", "1")
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(body)
	}
}

// The same requests through httputil.ReverseProxy: same answers, but where we
// differ on purpose (see the exceptions).
func TestAgreesWithReverseProxy(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(talkative))
	t.Cleanup(up.Close)
	target, _ := url.Parse(up.URL)
	oracle := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = "app.example" },
	})
	t.Cleanup(oracle.Close)
	ours := newFront(t, at(up), func(o *gateway.Forward, _ *http.Request) { o.Host = "app.example" })

	var ask func(base, method, path string, body func() io.Reader, again int) (int, http.Header, string)
	ask = func(base, method, path string, body func() io.Reader, again int) (int, http.Header, string) {
		r, err := http.NewRequest(method, base+path, body())
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "identity")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil && base == oracle.URL && again > 0 { // ReverseProxy cuts a body short now and then
			return ask(base, method, path, body, again-1)
		}
		if err != nil {
			t.Fatalf("%s %s by ours: %t: %v after %d bytes", method, path, base == ours.URL, err, len(b))
		}
		res.Header.Del("Date")
		return res.StatusCode, res.Header, string(b)
	}
	for _, path := range []string{"/", "/204", "/304", "/404", "/302", "/hints", "/hop", "/stream", "/large", "/trailer", "/a/%2e;b?q=1&r"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "REPORT"} {
			for name, body := range map[string]func() io.Reader{
				"no body": func() io.Reader { return nil },
				"length":  func() io.Reader { return strings.NewReader("some body") },
				"chunks":  func() io.Reader { return io.MultiReader(strings.NewReader("some body")) },
			} {
				if method == "HEAD" && name != "no body" {
					continue
				}
				what := method + " " + path + " " + name
				s1, h1, b1 := ask(ours.URL, method, path, body, 0)
				s2, h2, b2 := ask(oracle.URL, method, path, body, 3)
				if path == "/trailer" {
					h2.Del("Trailer") // dropped for now
				}
				if path == "/hop" && name != "no body" && !expectsBody(method) {
					h1.Del("X-Secret") // asked to close, an upstream of net/http writes over its Connection field
				}
				// ReverseProxy flushes before anything else came; we do not, and when
				// the whole body is there net/http can tell its length.
				if _, ok := h2["Content-Length"]; !ok && h1.Get("Content-Length") == fmt.Sprint(len(b1)) {
					h1.Del("Content-Length")
				}
				// Where an upstream gives no type, ReverseProxy lets net/http guess one.
				if h1.Get("Content-Type") == "" {
					h2.Del("Content-Type")
				}
				if s1 != s2 || b1 != b2 {
					t.Errorf("%s: %d %.60q, oracle %d %.60q", what, s1, b1, s2, b2)
				}
				if diff := cmp.Diff(h2, h1); diff != "" {
					t.Errorf("%s: headers (-oracle +ours)\n%s", what, diff)
				}
			}
		}
	}
}
