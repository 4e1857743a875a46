package browser

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/test/edge"
)

// cloudflare stands before hosts as Cloudflare does with Access: whoever has no
// cookie of a host's application is led to the team's sign-in, and whoever has one
// is handed on with an assertion. What is no host of an application's is somebody
// else's page.
type cloudflare struct {
	t      *testing.T
	team   *standin.Access
	port   string
	behind *httputil.ReverseProxy

	mu       sync.Mutex
	sessions map[string]string // CF_Authorization → host
	signedIn bool              // at the team's own domain
	lets     map[string]bool   // hosts that are open: a policy Bypass
	answers  bool              // preflights, by the CORS settings of the application; else OPTIONS is let through
	vouches  bool              // its redirects carry the headers of CORS
	page     string            // of another origin
	seen     []seen
}

// seen is a request for the API's host.
type seen struct {
	method, path, origin, asks string // asks: what a preflight asks for
	signedIn                   bool
	status                     int
}

const (
	portalHost = "portal.acme.localhost"
	apiHost    = "api.acme.localhost"
	teamHost   = "team.access.localhost"
)

func startCloudflare(t *testing.T) *cloudflare {
	t.Helper()
	team, err := standin.NewAccess(edge.Listen(t), standin.AccessOptions{Team: "acme.cloudflareaccess.com", Audience: "unused"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = team.Close() })
	c := &cloudflare{t: t, team: team, sessions: map[string]string{}, lets: map[string]bool{}}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	c.port = s.URL[strings.LastIndexByte(s.URL, ':'):]
	return c
}

func (c *cloudflare) origin(host string) string { return "http://" + host + c.port }

// before puts it before a Portreeve.
func (c *cloudflare) before(e *edge.Edge) {
	c.behind = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", e.Addr
		r.Out.Host = r.In.Host
	}}
}

// set changes how it is set up.
func (c *cloudflare) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// ends ends the session of one application.
func (c *cloudflare) ends(host string) {
	c.set(func() {
		for token, of := range c.sessions {
			if of == host {
				delete(c.sessions, token)
			}
		}
	})
}

// asked are the requests for the API's host since it was asked last.
func (c *cloudflare) asked() []seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.seen
	c.seen = nil
	return out
}

func (c *cloudflare) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	switch host {
	case portalHost, apiHost:
		c.application(rw, r, host)
	case teamHost:
		c.signIn(rw, r)
	default:
		c.mu.Lock()
		defer c.mu.Unlock()
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(rw, c.page)
	}
}

// signIn is the team's page: a button, and none for whoever was there before.
func (c *cloudflare) signIn(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method != "POST" && !c.signedIn {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(rw, `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Access</title><h1>Access</h1><form method="post"><button id="olga">olga</button></form>`)
		return
	}
	c.signedIn = true
	host := q.Get("host")
	token, err := c.team.Mint("olga@example.com", map[string]any{"aud": []string{"app-" + host}})
	if err != nil {
		c.t.Error(err)
	}
	c.sessions[token] = host
	http.Redirect(rw, r, c.origin(host)+"/cdn-cgi/access/authorized?"+url.Values{"token": {token}, "to": {q.Get("to")}}.Encode(), http.StatusSeeOther)
}

func (c *cloudflare) application(rw http.ResponseWriter, r *http.Request, host string) {
	if r.URL.Path == "/cdn-cgi/access/authorized" {
		http.SetCookie(rw, &http.Cookie{Name: "CF_Authorization", Value: r.URL.Query().Get("token"), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
		http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusFound)
		return
	}
	got := &recorder{ResponseWriter: rw}
	token := ""
	if cookie, err := r.Cookie("CF_Authorization"); err == nil {
		token = cookie.Value
	}
	c.mu.Lock()
	in, open, answers, vouches := c.sessions[token] == host, c.lets[host], c.answers, c.vouches
	c.mu.Unlock()
	asks := strings.TrimSpace(r.Header.Get("Access-Control-Request-Method") + " " + r.Header.Get("Access-Control-Request-Headers"))
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if host == apiHost {
			c.seen = append(c.seen, seen{r.Method, r.URL.Path, r.Header.Get("Origin"), asks, in, got.status})
		}
	}()
	r.Header.Del("Cf-Access-Jwt-Assertion")
	switch preflight := r.Method == "OPTIONS" && asks != ""; {
	case preflight && answers:
		c.preflight(got, r)
		return
	case preflight: // OPTIONS is let through to the origin
	case in:
		r.Header.Set("Cf-Access-Jwt-Assertion", token)
	case !open:
		if vouches && r.Header.Get("Origin") == c.origin(portalHost) {
			c.allow(got)
		}
		http.Redirect(got, r, c.origin(teamHost)+"/cdn-cgi/access/login?"+url.Values{"host": {host}, "to": {r.URL.RequestURI()}}.Encode(), http.StatusFound)
		return
	default:
		r.Header.Del("Cookie") // it ended when its token did
	}
	c.behind.ServeHTTP(got, r)
}

// preflight answers by the application's CORS settings: one origin, GET, POST,
// OPTIONS, Content-Type, credentials.
func (c *cloudflare) preflight(rw http.ResponseWriter, r *http.Request) {
	wants := cmp.Or(r.Header.Get("Access-Control-Request-Headers"), "content-type")
	if r.Header.Get("Origin") != c.origin(portalHost) || !strings.EqualFold(wants, "content-type") {
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	c.allow(rw)
	rw.Header().Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	rw.Header().Set("Access-Control-Allow-Headers", "Content-Type")
	rw.WriteHeader(http.StatusOK)
}

func (c *cloudflare) allow(rw http.ResponseWriter) {
	rw.Header().Set("Access-Control-Allow-Origin", c.origin(portalHost))
	rw.Header().Set("Access-Control-Allow-Credentials", "true")
}

// recorder keeps an answer's status.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
