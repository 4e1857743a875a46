package keyset_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/keyset"
)

func TestRotation(t *testing.T) {
	t.Parallel()
	c, i := newClock(), newIssuer(t, text(setOf(1)))
	s := keyset.New(keyset.Config{URL: i.URL, AllowHTTP: true, Now: c.now})
	want(t, s, "not ready")
	if err := s.Refetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	want(t, s, "kid-1")
	i.say(text(setOf(2, 1)))
	if err := refetch(c, s); err != nil {
		t.Fatal(err)
	}
	want(t, s, "kid-2 kid-1")
	i.say(text(setOf(2)))
	if err := refetch(c, s); err != nil {
		t.Fatal(err)
	}
	want(t, s, "kid-2")
	if s.Has(signer(1).Public().Thumbprint()) || !s.Has(signer(2).Public().Thumbprint()) {
		t.Error("Has does not follow the set")
	}
	i.say(text(`{"keys":[]}`))
	if err := refetch(c, s); err != nil {
		t.Fatal(err)
	}
	want(t, s, "") // the issuer withdrew all: reached, and no key
}

func TestBadAnswersLeaveTheKeys(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(text(setOf(9)))
	t.Cleanup(stranger.Close)
	for name, h := range map[string]http.HandlerFunc{
		"an error status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503); _, _ = w.Write([]byte(setOf(9))) },
		"no content":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"a page":          text("<!doctype html><title>maintenance</title>"),
		"nothing":         text(""),
		"another object":  text(`{"error":"x"}`),
		"a cut set":       text(setOf(9)[:40]),
		"a cut transfer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte(setOf(9)))
		},
		"a hang-up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"too much":  text(`{"x":"` + strings.Repeat("a", jws.MaxKeySet) + `",` + setOf(9)[1:]),
		"too much after unpacking": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped(`{"x":"` + strings.Repeat("a", 20*jws.MaxKeySet) + `",` + setOf(9)[1:]))
		},
		"no end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		},
		"a redirect to another host": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, stranger.URL, 302) },
		"a redirect to another host by 308": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, stranger.URL, 308)
		},
		"a redirect to a file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		},
		"redirects without end": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", 302) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, i := newClock(), newIssuer(t, text(setOf(1)))
			s := keyset.New(keyset.Config{URL: i.URL + "/jwks", AllowHTTP: true, Now: c.now})
			if err := s.Refetch(context.Background()); err != nil {
				t.Fatal(err)
			}
			i.say(h)
			if err := refetch(c, s); err == nil {
				t.Error("taken for a key set")
			}
			want(t, s, "kid-1")
			if h := s.Health(); h.Err == "" || !h.Ready || h.Keys != 1 {
				t.Errorf("health %+v", h)
			}
			i.say(text(setOf(2)))
			if err := refetch(c, s); err != nil || s.Health().Err != "" {
				t.Errorf("back again: %v, %+v", err, s.Health())
			}
			want(t, s, "kid-2")
		})
	}
}

func TestRedirectWithinTheHost(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/new" {
			text(setOf(1))(w, r)
			return
		}
		http.Redirect(w, r, "/new", 302)
	})
	s := keyset.New(keyset.Config{URL: i.URL + "/old", AllowHTTP: true})
	if err := s.Refetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	want(t, s, "kid-1")
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	plain := newIssuer(t, text(setOf(1)))
	secure := httptest.NewTLSServer(text(setOf(1)))
	t.Cleanup(secure.Close)
	for _, c := range []struct {
		name, url string
		allow, ok bool
		client    *http.Client
	}{
		{"https", secure.URL, false, true, secure.Client()},
		{"https of an unknown authority", secure.URL, false, false, nil},
		{"http", plain.URL, false, false, nil},
		{"http where it is allowed", plain.URL, true, true, nil},
		{"a file", "file:///etc/passwd", true, false, nil},
		{"no scheme", "issuer.example/jwks", true, false, nil},
		{"no host", "https:///jwks", true, false, nil},
		{"no URL", "http://[::1", true, false, nil},
	} {
		s := keyset.New(keyset.Config{URL: c.url, AllowHTTP: c.allow, Client: c.client})
		if err := s.Refetch(context.Background()); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if n := plain.asked.Load(); n != 1 {
		t.Errorf("the plain issuer was asked %d times", n)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	elsewhere := newIssuer(t, text(setOf(1)))
	for name, c := range map[string]struct {
		document string // {self} is the issuer's URL
		ok       bool
	}{
		"keys at another host, as Google's": {`{"issuer":"{self}","jwks_uri":"` + elsewhere.URL + `"}`, true},
		"another issuer":                    {`{"issuer":"https://other.example","jwks_uri":"` + elsewhere.URL + `"}`, false},
		"the issuer with a slash":           {`{"issuer":"{self}/","jwks_uri":"` + elsewhere.URL + `"}`, false},
		"no issuer":                         {`{"jwks_uri":"` + elsewhere.URL + `"}`, false},
		"issuer twice":                      {`{"issuer":"https://other.example","issuer":"{self}","jwks_uri":"` + elsewhere.URL + `"}`, false},
		"no jwks_uri":                       {`{"issuer":"{self}"}`, false},
		"jwks_uri is a list":                {`{"issuer":"{self}","jwks_uri":["` + elsewhere.URL + `"]}`, false},
		"jwks_uri is a file":                {`{"issuer":"{self}","jwks_uri":"file:///etc/passwd"}`, false},
		"no JSON":                           {`<html>`, false},
	} {
		i := newIssuer(t, nil)
		i.say(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/.well-known/openid-configuration" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			text(strings.ReplaceAll(c.document, "{self}", i.URL))(w, r)
		})
		s := keyset.New(keyset.Config{Issuer: i.URL, AllowHTTP: true})
		if err := s.Refetch(context.Background()); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDiscoveryOfAnIssuerWithASlash(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, nil)
	i.say(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tenant/.well-known/openid-configuration":
			text(`{"issuer":"`+i.URL+`/tenant/","jwks_uri":"`+i.URL+`/keys"}`)(w, r)
		case "/keys":
			text(setOf(1))(w, r)
		default:
			http.NotFound(w, r)
		}
	})
	s := keyset.New(keyset.Config{Issuer: i.URL + "/tenant/", AllowHTTP: true})
	if err := s.Refetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	want(t, s, "kid-1")
}

func TestPublishedSecretsRaiseAnAlarm(t *testing.T) {
	t.Parallel()
	c, log := newClock(), &logBook{}
	leaky := `{"keys":[{"kty":"oct","kid":"s","alg":"HS256","k":"c2VjcmV0LXRleHQtc2VjcmV0LXRleHQtc2VjcmV0LXRleHQ"},` +
		`{"kty":"OKP","crv":"Ed25519","kid":"p","x":"AA","d":"AA"},{"kty":"none"},` + setOf(1)[len(`{"keys":[`):]
	i := newIssuer(t, text(leaky))
	s := keyset.New(keyset.Config{URL: i.URL, AllowHTTP: true, Now: c.now, Log: log.logger()})
	for range 3 {
		if err := refetch(c, s); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s, "kid-1")
	if s.Health().Alarms != 2 {
		t.Errorf("health %+v", s.Health())
	}
	if log.count("publishes a secret") != 2 {
		t.Errorf("not exactly one alarm for each: %s", log.b.String())
	}
	if log.count("c2VjcmV0") != 0 {
		t.Error("the secret is in the log")
	}
}

func TestFilesAndStaticKeys(t *testing.T) {
	t.Parallel()
	c := newClock()
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, []byte(setOf(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := keyset.New(keyset.Config{File: path, Now: c.now})
	want(t, s, "kid-1")
	c.move(100 * 24 * time.Hour)
	want(t, s, "kid-1")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refetch(c, s); err == nil || s.Health().Err == "" {
		t.Error("a broken file is taken")
	}
	want(t, s, "kid-1")

	if s := keyset.New(keyset.Config{File: path + "x", Now: c.now}); kids(s) != "not ready" || s.Health().Err == "" {
		t.Errorf("a file that is not there: %+v", s.Health())
	}

	static := keyset.New(keyset.Config{Static: []*jws.Key{signer(3).Public()}, Now: c.now})
	c.move(100 * 24 * time.Hour)
	want(t, static, "kid-3")
	if static.MayRefetch(c.now()) || static.Refetch(context.Background()) == nil {
		t.Error("a static set can be fetched")
	}
	static.Run(context.Background()) // returns
}

func TestAFailureQuotesNoURL(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]string{
		"nobody listens":      "http://127.0.0.1:1/keys?token=hunter2",
		"a redirect":          httptestRedirect(t) + "/keys?token=hunter2",
		"a user and password": "http://u:hunter2@127.0.0.1:1/keys",
	} {
		s := keyset.New(keyset.Config{Name: "x", URL: from, AllowHTTP: true})
		err := s.Refetch(context.Background())
		if err == nil || strings.Contains(err.Error()+s.Health().Err, "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func httptestRedirect(t *testing.T) string {
	s := httptest.NewServer(http.RedirectHandler("http://other.example/?token=hunter2", http.StatusFound))
	t.Cleanup(s.Close)
	return s.URL
}
