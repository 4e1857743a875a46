package actions

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// service counts the connections it gets.
func service(t *testing.T, h http.HandlerFunc) (at string, met *atomic.Int64) {
	t.Helper()
	met = &atomic.Int64{}
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, st http.ConnState) {
		if st == http.StateNew {
			met.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), met
}

func reaching(hosts ...string) func(*Script) { return func(s *Script) { s.Egress = hosts } }

func TestFetchReachesItsListAlone(t *testing.T) {
	t.Parallel()
	at, met := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Saw", r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("X-Mine"))
		w.WriteHeader(201)
		_, _ = fmt.Fprintf(w, `{"echo":%q}`, body)
	})
	other, otherMet := service(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(at)
	dev := engine(t, Options{Plain: true})
	out, err := one(t, dev, `
		const r = await fetch("http://`+at+`/a/b?c=d#e", { method: "post", headers: { "X-Mine": "yes" }, body: new URLSearchParams({ k: "v w" }) });
		api.idToken.setCustomClaim("x", [r.ok, r.status, r.headers.get("x-saw"), (await r.json()).echo]);`, reaching("http://"+at))
	want := `[true,201,"POST /a/b?c=d application/x-www-form-urlencoded;charset=UTF-8 yes","k=v+w"]`
	if err != nil || string(out.IDToken["x"]) != want {
		t.Fatalf("%s %v", out.IDToken["x"], err)
	}
	before := met.Load()
	for name, c := range map[string]struct{ url, egress string }{
		"no list":                       {"http://" + at, ""},
		"another host":                  {"http://" + other, "http://" + at},
		"another port":                  {"http://127.0.0.1:1/", "http://" + at},
		"another scheme":                {"https://" + at, "http://" + at},
		"a name for what is listed":     {"http://localhost:" + port, "http://" + at},
		"a name that is listed":         {"http://localhost:" + port, "http://localhost:" + port},
		"a user in front":               {"http://" + at + "@" + other, "http://" + at},
		"a user name":                   {"http://x@" + at, "http://" + at},
		"another spelling of loopback":  {"http://127.1:" + port, "http://127.1:" + port},
		"loopback as IPv6":              {"http://[::ffff:127.0.0.1]:" + port, "http://" + at},
		"a header that is not its own":  {"http://" + at + `", { headers: { Host: "evil.example" }, x: "`, "http://" + at},
		"a header with a line's end":    {"http://" + at + `", { headers: { "X-A": "b\r\nX-C: d" }, x: "`, "http://" + at},
		"a method that opens a channel": {"http://" + at + `", { method: "CONNECT", x: "`, "http://" + at},
		"a path that is two":            {"http://" + at + `/a/../b`, "http://" + at},
	} {
		t.Run(name, func(t *testing.T) {
			script := `try { const r = await fetch("` + c.url + `"`
			if strings.Contains(c.url, "{") {
				script = `try { const r = await fetch("` + c.url + `"}`
			}
			script += `); api.idToken.setCustomClaim("got", r.status) } catch (e) { api.idToken.setCustomClaim("x", String(e)) }`
			var list []string
			if c.egress != "" {
				list = []string{c.egress}
			}
			out, err := one(t, dev, script, reaching(list...))
			if err != nil {
				t.Fatal(err)
			}
			if out.IDToken["got"] != nil || !strings.Contains(string(out.IDToken["x"]), "TypeError: fetch: ") {
				t.Errorf("%s", out.IDToken)
			}
		})
	}
	if met.Load() != before || otherMet.Load() != 0 {
		t.Error("somebody was called all the same")
	}
}

func TestFetchInProductionKnowsNoPrivateAddress(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"http://api.example.com", "127.0.0.1", "https://10.0.0.1", "169.254.169.254", "[::1]:8443", "https://user@api.example.com", "*.example.com",
		"https://api.example.com/path", "api.example.com?x", "ftp://api.example.com", "", "https://", "api.exämple.com"} {
		if o, err := parseOrigin(entry, false); err == nil {
			t.Errorf("%s is %s", entry, o)
		}
	}
	for entry, want := range map[string]string{"api.example.com": "https://api.example.com:443", "API.example.com.:8443": "https://api.example.com:8443", "https://8.8.8.8/": "https://8.8.8.8:443"} {
		if o, err := parseOrigin(entry, false); err != nil || o.String() != want {
			t.Errorf("%s is %s, %v", entry, o, err)
		}
	}
}

func TestRedirectsStayOnTheList(t *testing.T) {
	t.Parallel()
	private, privateMet := service(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metadata of the machine") })
	var at string
	at, _ = service(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/out":
			http.Redirect(w, r, "http://"+private+"/latest/meta-data/", 302)
		case "/link-local":
			http.Redirect(w, r, "http://169.254.169.254/", 307)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		case "/round":
			http.Redirect(w, r, "/round", 302)
		case "/in":
			http.Redirect(w, r, "/there", 303)
		default:
			_, _ = io.WriteString(w, r.Method+" "+r.URL.Path)
		}
	})
	e := engine(t, Options{Plain: true})
	out, err := one(t, e, `
		const seen = {};
		for (const path of ["/out", "/link-local", "/file", "/round"]) {
			seen[path] = await fetch("http://`+at+`" + path).then((r) => r.status, (e) => e.message.replace(/[0-9.]+:[0-9]+/, "HOST"));
		}
		seen.in = await fetch("http://`+at+`/in", { method: "POST", body: "x" }).then((r) => r.text());
		seen.manual = await fetch("http://`+at+`/out", { redirect: "manual" }).then((r) => r.status);
		api.idToken.setCustomClaim("x", seen);`, reaching("http://"+at))
	if err != nil {
		t.Fatal(err)
	}
	got := string(out.IDToken["x"])
	for _, want := range []string{`"/out":"fetch: http://HOST redirects out of the egress list"`, `"/link-local":"fetch: http://HOST redirects out`, `"/file":"fetch: http://HOST redirects out`,
		`"/round":"fetch: the answer is a redirect too many"`, `"in":"GET /there"`, `"manual":302`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if privateMet.Load() != 0 {
		t.Error("a redirect led to a private address")
	}
}

// A name of the list that turns to a private address, at once, between two
// questions or together with a public one, is not followed there.
func TestANameThatChangesItsMind(t *testing.T) {
	at, met := service(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(at)
	asked := rebinding(t)
	out, err := one(t, engine(t, Options{Plain: true}), `
		const seen = [];
		for (let i = 0; i < 4; i++) {
			seen.push(await fetch("http://rebind.test:`+port+`/").then((r) => r.status, (e) => e.message));
		}
		api.idToken.setCustomClaim("x", seen);`, reaching("http://rebind.test:"+port))
	if err != nil {
		t.Fatal(err)
	}
	if met.Load() != 0 || strings.Contains(string(out.IDToken["x"]), "200") || asked.Load() == 0 {
		t.Errorf("%d calls arrived, %d questions: %s", met.Load(), asked.Load(), out.IDToken["x"])
	}
}

// rebinding makes the tests' resolver answer rebind.test with one address now and
// another next time.
func rebinding(t *testing.T) (asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			q := m.Questions[0]
			if q.Type == dnsmessage.TypeA {
				for i, a := range [][4]byte{{127, 0, 0, 1}, {10, 0, 0, 1}, {169, 254, 169, 254}} {
					if asked.Add(1); i == 0 || asked.Load()%2 == 0 {
						m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: a}})
					}
				}
			}
			if out, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	was := net.DefaultResolver
	net.DefaultResolver = resolver(pc.LocalAddr().String())
	t.Cleanup(func() { net.DefaultResolver = was })
	return asked
}

func TestFetchIsBounded(t *testing.T) {
	t.Parallel()
	at, met := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/big" {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	out, err := one(t, engine(t, Options{Plain: true}), `
		const to = "http://`+at+`";
		const seen = [await fetch(to + "/big").then((r) => r.status, (e) => e.message), await fetch(to, { method: "POST", body: "x".repeat(70000) }).catch((e) => e.message)];
		const all = await Promise.allSettled(Array.from({ length: 20 }, () => fetch(to)));
		seen.push(all.filter((a) => a.status === "fulfilled").length, all.find((a) => a.status === "rejected").reason.message);
		api.idToken.setCustomClaim("x", seen);`, reaching("http://"+at))
	want := `["fetch: 127.0.0.1: too large","fetch: what is sent is too large",8,"fetch: a run may fetch 10 times"]`
	if err != nil || string(out.IDToken["x"]) != want || met.Load() > 10 {
		t.Errorf("%s %v, %d connections", out.IDToken["x"], err, met.Load())
	}
}
