package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Web is a client that people sign in by (OpenID Connect Dynamic Client
// Registration section 2, Back-Channel Logout section 2.2).
type Web struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret"`
	RedirectURIs  []string `json:"redirect_uris"`
	AfterLogout   []string `json:"post_logout_redirect_uris,omitempty"`
	BackChannel   string   `json:"backchannel_logout_uri,omitempty"`
	SIDInTheToken bool     `json:"backchannel_logout_session_required,omitempty"`
}

// Person is somebody's browser at the provider.
type Person struct {
	Name   string
	server *Server
	http   *http.Client
}

// Person makes a browser. Whoever signs in with it is called name.
func (s *Server) Person(name string) (*Person, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Person{Name: name, server: s, http: &http.Client{Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Authorize follows an authorization URL through the provider's forms and returns
// where it leads the browser back to.
func (p *Person) Authorize(ctx context.Context, to string) (*url.URL, error) {
	for range 12 {
		page, next, err := p.do(ctx, http.MethodGet, to, nil)
		if err != nil {
			return nil, err
		}
		if next == "" {
			form, err := formOf(page, p.Name)
			if err != nil {
				return nil, err
			}
			if _, next, err = p.do(ctx, http.MethodPost, form.action, form.values); err != nil {
				return nil, err
			}
		}
		if !strings.HasPrefix(next, p.server.Issuer+"/") {
			return url.Parse(next)
		}
		to = next
	}
	return nil, errors.New("the provider leads nowhere")
}

// Logout follows an end_session URL and confirms.
func (p *Person) Logout(ctx context.Context, to string) (*url.URL, error) {
	page, _, err := p.do(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	form, err := formOf(page, p.Name)
	if err != nil {
		return nil, err
	}
	form.values.Set("logout", "yes")
	_, next, err := p.do(ctx, http.MethodPost, form.action, form.values)
	if err != nil {
		return nil, err
	}
	return url.Parse(next)
}

func (p *Person) do(ctx context.Context, method, to string, form url.Values) (page, next string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.http.Do(req)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch {
	case err != nil:
		return "", "", err
	case res.StatusCode >= 400:
		return "", "", fmt.Errorf("%s %s: %s: %s", method, to, res.Status, body)
	case res.StatusCode >= 300:
		at, err := res.Location()
		if err != nil {
			return "", "", err
		}
		return "", at.String(), nil
	}
	return string(body), "", nil
}

type form struct {
	action string
	values url.Values
}

var (
	actionOf = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	hiddenOf = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// formOf fills the form of a page in.
func formOf(page, name string) (form, error) {
	m := actionOf.FindStringSubmatch(page)
	if m == nil {
		return form{}, fmt.Errorf("a page without a form: %s", page)
	}
	f := form{action: m[1], values: url.Values{}}
	for _, h := range hiddenOf.FindAllStringSubmatch(page, -1) {
		f.values.Set(h[1], h[2])
	}
	if strings.Contains(page, `name="login"`) {
		f.values.Set("login", name)
		f.values.Set("password", "any")
	}
	return f, nil
}
