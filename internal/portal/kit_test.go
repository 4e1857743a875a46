package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

const secret32 = "0123456789abcdef0123456789abcdef"

// plainFile is a portal with nothing special about it.
const plainFile = `environment: test
session: {devLink: {user: olga@example.com, roles: [admin]}}
portal: {}
jwt: {secret: "` + secret32 + `"}
`

// house is a whole Portreeve with the portal, on a free port, with a store of
// its own.
type house struct {
	t    testing.TB
	file string // the configuration's path
	url  string
	link string // signs the file's devLink in, once
	stop func()
}

// open serves a configuration until the test is over: plainFile, with what is
// given behind it.
func open(t testing.TB, more ...string) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, file: filepath.Join(dir, "portreeve.yaml")}
	if err := os.WriteFile(h.file, []byte(plainFile+strings.Join(more, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	storetest.Beside(t, dir)
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// start serves the file; the store is that of before.
func (h *house) start() {
	h.t.Helper()
	up, done := make(chan net.Addr, 1), make(chan error, 1)
	a, err := app.New(app.Options{Source: h.source(), Listen: []string{"127.0.0.1:0"}, Stderr: io.Discard,
		Started: func(list []net.Addr) { up <- list[0] }, SignInLink: func(_, link string) { h.link = link }})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { done <- a.Run(ctx) }()
	select {
	case at := <-up:
		h.url = "http://" + at.String()
	case err := <-done:
		h.t.Fatalf("did not start: %v", err)
	}
	h.stop = func() { cancel(); <-done; h.stop = func() {} }
}

func (h *house) source() app.Source {
	return app.Source{Path: h.file, Getenv: func(string) (string, bool) { return "", false }}
}

// reader is a person at a browser: with cookies, or a token that says who.
type reader struct {
	h       *house
	fields  http.Header       // that go along with every request
	cookies map[string]string // by name; only of this house
}

// nobody has not signed in.
func (h *house) nobody() *reader {
	return &reader{h: h, fields: http.Header{}, cookies: map[string]string{}}
}

// as is somebody by a token: "ann@example.com" has that e-mail too. Roles are
// those of the token.
func (h *house) as(who string, roles ...string) *reader {
	h.t.Helper()
	return h.in("", who, roles...)
}

// in is somebody of a tenant.
func (h *house) in(tenant, who string, roles ...string) *reader {
	h.t.Helper()
	ask := app.TokenRequest{Subject: who, Roles: roles, Tenant: tenant, Expires: time.Hour, Now: time.Now()}
	if strings.Contains(who, "@") {
		ask.Email = who
	}
	token, err := app.Token(h.source(), ask)
	if err != nil {
		h.t.Fatal(err)
	}
	r := h.nobody()
	r.fields.Set("Authorization", "Bearer "+token)
	return r
}

func (h *house) admin() *reader { h.t.Helper(); return h.as("root", "admin") }

// signedIn is olga@example.com, an admin, by a session. It works once a start.
func (h *house) signedIn() *reader {
	h.t.Helper()
	r := h.nobody()
	at, err := url.Parse(h.link)
	if err != nil || h.link == "" {
		h.t.Fatalf("no link: %q %v", h.link, err)
	}
	if p := r.send("POST", at.Path, url.Values{}, "Sec-Fetch-Site", "same-origin"); p.status >= 400 || len(r.cookies) == 0 {
		h.t.Fatalf("signing in: %d %s", p.status, p.body)
	}
	return r
}

// page is what came back.
type page struct {
	r      *reader
	path   string
	status int
	body   string
	header http.Header
}

// send sends a form, or nothing with a nil one, with further fields in pairs. It
// follows nothing.
func (r *reader) send(method, path string, form url.Values, fields ...string) *page {
	r.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req := r.request(method, path, body)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	return r.do(req, path)
}

func (r *reader) request(method, path string, body io.Reader) *http.Request {
	r.h.t.Helper()
	req, err := http.NewRequest(method, r.h.url+path, body)
	if err != nil {
		r.h.t.Fatal(err)
	}
	req.Header = r.fields.Clone()
	for name, value := range r.cookies {
		req.Header.Add("Cookie", name+"="+value)
	}
	return req
}

func (r *reader) do(req *http.Request, path string) *page {
	r.h.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.h.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.h.t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge < 0 {
			delete(r.cookies, c.Name)
		} else {
			r.cookies[c.Name] = c.Value
		}
	}
	return &page{r: r, path: path, status: resp.StatusCode, body: string(raw), header: resp.Header}
}

// get opens a page.
func (r *reader) get(path string, fields ...string) *page {
	r.h.t.Helper()
	return r.send("GET", path, nil, append([]string{"Accept", "text/html"}, fields...)...)
}

// see opens a page that is there.
func (r *reader) see(path string) *page {
	r.h.t.Helper()
	p := r.get(path)
	if p.status != 200 {
		r.h.t.Fatalf("%s: %d\n%s", path, p.status, p.words())
	}
	return p
}

// post opens a page, fills in its form to that page's own address, and sends it.
func (r *reader) post(path string, fields ...string) *page {
	r.h.t.Helper()
	return r.see(path).post(path, fields...)
}

var onceInput = regexp.MustCompile(`name="once" value="([0-9a-f]{32})"`)

// once is the value that counts once, of the page's form to an address.
func (p *page) once(action string) string {
	p.r.h.t.Helper()
	_, form, ok := strings.Cut(p.body, `action="`+html.EscapeString(action)+`"`)
	if !ok {
		p.r.h.t.Fatalf("%s has no form to %s:\n%s", p.path, action, p.words())
	}
	form, _, _ = strings.Cut(form, "</form>")
	m := onceInput.FindStringSubmatch(form)
	if m == nil {
		p.r.h.t.Fatalf("the form to %s on %s has no value that counts once", action, p.path)
	}
	return m[1]
}

// post sends the page's form to an address, filled in with name, value pairs.
func (p *page) post(action string, fields ...string) *page {
	p.r.h.t.Helper()
	return p.r.sendForm(action, p.filled(action, fields...))
}

// filled is the page's form to an address, filled in.
func (p *page) filled(action string, fields ...string) url.Values {
	p.r.h.t.Helper()
	v := url.Values{"once": {p.once(action)}}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return v
}

// sendForm sends a form as a browser does from a page of the same site.
func (r *reader) sendForm(action string, v url.Values) *page {
	r.h.t.Helper()
	return r.send("POST", action, v, "Origin", r.h.url, "Sec-Fetch-Site", "same-origin", "Accept", "text/html")
}

// follow opens the page that a form led to.
func (p *page) follow() *page {
	p.r.h.t.Helper()
	to := p.header.Get("Location")
	if p.status != 303 || !strings.HasPrefix(to, "/") {
		p.r.h.t.Fatalf("%s leads nowhere: %d %q\n%s", p.path, p.status, to, p.words())
	}
	return p.r.see(to)
}

// api calls an operation as the reader, and reads the answer into out unless it
// is nil.
func (r *reader) api(method, path string, in, out any) {
	r.h.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			r.h.t.Fatal(err)
		}
		body = strings.NewReader(string(raw))
	}
	req := r.request(method, path, body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", r.h.url)
	p := r.do(req, path)
	if p.status >= 300 {
		r.h.t.Fatalf("%s %s: %d %s", method, path, p.status, p.body)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(p.body), out); err != nil {
			r.h.t.Fatal(err)
		}
	}
}

// id is what the operation that makes something says it is called.
func (r *reader) id(path string, in any) string {
	r.h.t.Helper()
	var out struct{ ID string }
	r.api("POST", path, in, &out)
	if out.ID == "" {
		r.h.t.Fatalf("POST %s made nothing that has an id", path)
	}
	return out.ID
}

var (
	scripts = regexp.MustCompile(`(?s)<(script|style|svg)\b.*?</(script|style|svg)>`)
	tags    = regexp.MustCompile(`<[^>]*>`)
	spaces  = regexp.MustCompile(`\s+`)
)

// words are what somebody reads on the page, from its heading on.
func (p *page) words() string {
	_, main, ok := strings.Cut(p.body, `<main`)
	if !ok {
		main = p.body
	}
	main, _, _ = strings.Cut(main, "</main>")
	return text("<main" + main)
}

func text(markup string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(scripts.ReplaceAllString(markup, " "), " ")), " "))
}

// is asserts a status.
func (p *page) is(status int) *page {
	p.r.h.t.Helper()
	if p.status != status {
		p.r.h.t.Fatalf("%s: %d, want %d\n%s", p.path, p.status, status, p.words())
	}
	return p
}

// says asserts that somebody reads all of this on the page.
func (p *page) says(list ...string) *page {
	p.r.h.t.Helper()
	words := p.words()
	for _, s := range list {
		if !strings.Contains(words, s) {
			p.r.h.t.Errorf("%s does not say %q:\n%s", p.path, s, words)
		}
	}
	return p
}

// hides asserts that nothing of this is in the page, not even in its markup.
func (p *page) hides(list ...string) *page {
	p.r.h.t.Helper()
	for _, s := range list {
		if strings.Contains(p.body, s) {
			p.r.h.t.Errorf("%s has %q in it", p.path, s)
		}
	}
	return p
}

// holds asserts that the page's markup has all of this.
func (p *page) holds(list ...string) *page {
	p.r.h.t.Helper()
	for _, s := range list {
		if !strings.Contains(p.body, s) {
			p.r.h.t.Errorf("%s has no %s", p.path, s)
		}
	}
	return p
}

// locked asserts that the page does not open for want of a permission, and says
// which.
func (p *page) locked(permission string) *page {
	p.r.h.t.Helper()
	p.is(403).says(permission)
	if p.header.Get("X-Portreeve-Decision") == "" {
		p.r.h.t.Errorf("%s: the refusal has no decision id", p.path)
	}
	return p
}

// Names that try what a page does with them.
const (
	hostileMarkup = `<img src=x onerror=alert(1)>"'&`
	hostileRTL    = "\u202Egnp.exe \u05D0\u05D1\u05D2 \u0627\u0644\u0639\u0631\u0628\u064A\u0629 🧨"
)

// hostileLong has as many characters as a name may have.
func hostileLong() string { return strings.Repeat("Wide", 25) }

// inert asserts that a hostile name is on the page as text and no more.
func (p *page) inert(name string) *page {
	p.r.h.t.Helper()
	if strings.Contains(p.body, "<img src=x") || strings.Contains(p.body, "onerror=alert(1)>") {
		p.r.h.t.Errorf("%s takes a name for markup", p.path)
	}
	if name != "" && !strings.Contains(html.UnescapeString(p.body), name) {
		p.r.h.t.Errorf("%s does not show %q", p.path, name)
	}
	return p
}

// values are what the API shows under a path, for looking at what a form did.
func (r *reader) values(path string) string {
	r.h.t.Helper()
	var out any
	r.api("GET", path, nil, &out)
	return fmt.Sprint(out)
}
