package streams

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"context"
)

// events sends one event at once and then one for each tick, without an end.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(w, "data: %d\n\n", i); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// hops are the ways through the edge: HTTP/1.1 or HTTP/2 in, each out.
func hops(t *testing.T, h http.Handler, run func(t *testing.T, url string, c *http.Client)) {
	up := upstream(t, h)
	for _, out := range []string{"http/1.1", "h2c"} {
		e := start(t, `environment: test
auth: none
tls: {cert: a.pem, key: a.key}
drain: 4s
routes:
  - {path: /*, method: any, upstream: {url: "http://{UP}", h2c: `+fmt.Sprint(out == "h2c")+`, requestTrailers: [X-Sum, X-Forwarded-User]}}
`, up)
		for _, in := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(in+" in, "+out+" out", func(t *testing.T) {
				tr := &http.Transport{TLSClientConfig: e.tls(), Protocols: new(http.Protocols)}
				tr.Protocols.SetHTTP1(in == "HTTP/1.1")
				tr.Protocols.SetHTTP2(in != "HTTP/1.1")
				defer tr.CloseIdleConnections()
				run(t, "https://"+e.addr, &http.Client{Transport: tr})
			})
		}
	}
}

func TestEventsArriveAsTheyCome(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	hops(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		for i := range 3 {
			<-next
			_, _ = fmt.Fprintf(w, "data: %d %s\n\n", i, r.Proto)
			_ = rc.Flush()
		}
	}), func(t *testing.T, url string, c *http.Client) {
		res, err := c.Get(url + "/events") // the head comes before any event
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		in := bufio.NewReader(res.Body)
		for i := range 3 {
			next <- struct{}{}
			line, err := in.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, fmt.Sprintf("data: %d ", i)) {
				t.Fatalf("event %d: %q %v", i, line, err)
			}
			_, _ = in.ReadString('\n')
		}
		if rest := readAll(in); rest != "" {
			t.Errorf("rest %q", rest)
		}
	})
}

func TestTrailersBothWays(t *testing.T) {
	t.Parallel()
	hops(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Portreeve-Subject")
		w.Header().Set("Set-Cookie", "theirs=1")
		h := sha256.New()
		_, _ = io.Copy(h, r.Body)
		_, _ = io.WriteString(w, "body")
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-Sum", fmt.Sprintf("%x", h.Sum(nil)[:4]))
		w.Header().Set("X-Portreeve-Subject", "root")
		w.Header().Set(http.TrailerPrefix+"X_Portreeve_Roles", "admin")
		w.Header().Set(http.TrailerPrefix+"Cache-Control", "public")
		w.Header().Set(http.TrailerPrefix+"X-Request-Id", "forged")
		w.Header().Set(http.TrailerPrefix+"X-Got", fmt.Sprint(r.Trailer))
	}), func(t *testing.T, url string, c *http.Client) {
		body := bytes.Repeat([]byte("0123456789abcdef"), 10000)
		sum := sha256.Sum256(body)
		req, _ := http.NewRequest("POST", url+"/", io.MultiReader(bytes.NewReader(body)))
		req.Trailer = http.Header{"X-Sum": nil, "X-Forwarded-User": nil, "X-Other": nil}
		req.Trailer.Set("X-Sum", "1234")
		req.Trailer.Set("X-Forwarded-User", "eve")
		req.Trailer.Set("X-Other", "1")
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := readAll(res.Body); got != "body" {
			t.Errorf("body %q", got)
		}
		want := map[string]string{"X-Sum": fmt.Sprintf("%x", sum[:4]), "X-Got": "map[X-Sum:[1234]]"}
		for name, values := range res.Trailer {
			if want[name] != strings.Join(values, ",") {
				t.Errorf("trailer %s: %q, want %q", name, values, want[name])
			}
			delete(want, name)
		}
		for name := range want {
			t.Errorf("no trailer %s: %v", name, res.Trailer)
		}
	})
}

func TestInterimHeadsArePassedOn(t *testing.T) {
	t.Parallel()
	hops(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>; rel=preload")
		w.Header().Set("X-Portreeve-Subject", "root")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Link", "</b.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "final")
	}), func(t *testing.T, url string, c *http.Client) {
		var got []string
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			got = append(got, fmt.Sprint(code, h.Get("Link"), h.Get("X-Portreeve-Subject")))
			return nil
		}})
		req, _ := http.NewRequestWithContext(ctx, "GET", url+"/", nil)
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body := readAll(res.Body); body != "final" || res.Header.Get("Link") != "" || res.Header.Get("X-Request-Id") == "" {
			t.Errorf("%q %v", body, res.Header)
		}
		if want := "[103</a.css>; rel=preload 103</b.css>; rel=preload]"; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	})
}

// Bodies of any size flow in both directions at once, nothing buffered whole.
func TestLargeBodiesFlow(t *testing.T) {
	t.Parallel()
	const size = 24 << 20
	hops(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}), func(t *testing.T, url string, c *http.Client) {
		sent, got := sha256.New(), sha256.New()
		req, _ := http.NewRequest("POST", url+"/", io.TeeReader(io.LimitReader(zeros{}, size), sent))
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		n, err := io.Copy(got, res.Body)
		if n != size || err != nil || !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
			t.Errorf("%d bytes came back (%v)", n, err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

// A body that nobody wants is never sent: the application's no comes first.
func TestContinueIsAskedOfTheApplication(t *testing.T) {
	t.Parallel()
	up := rawUpstream(t, func(c net.Conn, in *bufio.Reader) {
		h := head(in)
		if !strings.Contains(h, "Expect: 100-continue") {
			_, _ = io.WriteString(c, "HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")
			return
		}
		switch {
		case strings.HasPrefix(h, "POST /no"):
			_, _ = io.WriteString(c, "HTTP/1.1 401 x\r\nContent-Length: 2\r\n\r\nno")
			if rest, _ := io.ReadAll(in); len(rest) > 0 {
				t.Errorf("the body came: %q", rest)
			}
			return
		case strings.HasPrefix(h, "POST /yes"):
			_, _ = io.WriteString(c, "HTTP/1.1 103 x\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
		}
		body := make([]byte, 5)
		_, _ = io.ReadFull(in, body)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%s", body)
	})
	e := start(t, wsFile, up)
	for _, c := range []struct{ path, first, second string }{
		{"/no", "401", ""},
		{"/yes", "103", "100"},
		{"/silent", "100", "200"}, // after a while nobody waits any more
	} {
		conn, in := e.dial()
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", c.path)
		if h := head(in); !strings.HasPrefix(h, "HTTP/1.1 "+c.first) {
			t.Errorf("%s: %q, want %s", c.path, h, c.first)
		}
		if c.second == "" {
			if rest := readAll(in); rest != "no" {
				t.Errorf("%s: rest %q", c.path, rest)
			}
			continue
		}
		if c.second == "100" {
			_ = head(in)
		}
		_, _ = io.WriteString(conn, "hello")
		for h := head(in); !strings.HasPrefix(h, "HTTP/1.1 200"); h = head(in) {
			if h == "" || !strings.HasPrefix(h, "HTTP/1.1 1") {
				t.Fatalf("%s: %q", c.path, h)
			}
		}
	}
}

// Events end within the drain, properly, and the process exits well.
func TestDrainEndsEvents(t *testing.T) {
	t.Parallel()
	e := start(t, strings.Replace(wsFile, "drain: 5s", "drain: 2s", 1), upstream(t, http.HandlerFunc(events)))
	res, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + e.addr + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	began := time.Now()
	e.stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the events ended with %v", err)
	}
	err = <-e.done
	e.done <- nil
	if took := time.Since(began); err != nil || took < time.Second || took > 2200*time.Millisecond {
		t.Errorf("stopped with %v after %s", err, took)
	}
}

// An answer that still runs when its credential ends is cut, if it has an end
// of its own, and ended, if it has none.
func TestAnswersEndWithTheCredential(t *testing.T) {
	t.Parallel()
	e := start(t, wsFile, upstream(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/download":
			w.Header().Set("Content-Length", "1000000000")
			rc := http.NewResponseController(w)
			for {
				if _, err := io.WriteString(w, "some bytes"); err != nil || rc.Flush() != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		case "/wait":
			<-r.Context().Done()
		default:
			events(w, r)
		}
	})))
	token := e.token("amy", 2*time.Second)
	get := func(path string) (*http.Response, error) {
		req, _ := http.NewRequest("GET", "http://"+e.addr+path, nil)
		req.Header.Set("Authorization", token)
		return (&http.Client{Timeout: 10 * time.Second}).Do(req)
	}
	waiting := make(chan int, 1)
	go func() {
		res, err := get("/wait")
		if err != nil {
			waiting <- 0
			return
		}
		_ = res.Body.Close()
		waiting <- res.StatusCode
	}()
	for path, whole := range map[string]bool{"/events": true, "/download": false} {
		res, err := get(path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		began := time.Now()
		_, err = io.Copy(io.Discard, res.Body)
		if (err == nil) != whole || time.Since(began) > 4*time.Second {
			t.Errorf("%s ended with %v after %s", path, err, time.Since(began))
		}
		if path == "/events" && !whole {
			continue
		}
		token = e.token("amy", 2*time.Second)
	}
	if got := <-waiting; got != 401 {
		t.Errorf("a request that waited got %d", got)
	}
}

func TestCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("PORTREEVE_PEERS") == "required" {
			t.Fatal("curl is missing; scripts/deps.sh installs it")
		}
		t.Skip("no curl")
	}
	hops(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-T")
		_, _ = fmt.Fprintf(w, "%d", n)
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-T", "seen")
	}), func(t *testing.T, url string, c *http.Client) {
		version := "--http1.1"
		if c.Transport.(*http.Transport).Protocols.HTTP2() {
			version = "--http2"
		}
		cmd := exec.Command("curl", "-sk", version, "-D-", "-T-", "-X", "POST", url+"/")
		cmd.Stdin = io.LimitReader(zeros{}, 3<<20)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "3145728") {
			t.Errorf("%v: %s", err, out)
		}
	})
}
