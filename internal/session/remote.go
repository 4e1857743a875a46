package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
)

const (
	remoteTime    = 10 * time.Second // one exchange with a provider
	remoteAnswer  = 1 << 20
	discoverEvery = time.Hour
	discoverMost  = 24 * time.Hour // how long an old answer does while the provider is down
	discoverRetry = 5 * time.Second
)

// remotes are the providers as their discovery documents describe them.
type remotes struct {
	mu   sync.Mutex
	byID map[string]*remote
}

// remote is one provider.
type remote struct {
	mu     sync.Mutex
	doc    *document
	at     time.Time // of doc
	failed time.Time
	err    error
	asking chan struct{} // closed when the question under way is answered; nil: there is none
}

// document is what of a discovery document matters here.
type document struct {
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	EndSession  string   `json:"end_session_endpoint"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	IssParam    bool     `json:"authorization_response_iss_parameter_supported"`
}

func (r *remotes) of(p *identity.Provider) *remote {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[string]*remote{}
	}
	key := issuerOf(p)
	if r.byID[key] == nil {
		r.byID[key] = &remote{}
	}
	return r.byID[key]
}

func issuerOf(p *identity.Provider) string {
	if list := p.Issuers(); len(list) > 0 {
		return list[0]
	}
	return ""
}

// document is a provider's description, read once an hour; an older one does while
// the provider is asked, or down. Whoever needs it waits for one question together
// and no longer than their own time: strangers begin sign-ins, and a provider that
// hangs would hold them all. The question goes on when whoever asked it is gone.
func (s *Service) document(ctx context.Context, p *identity.Provider) (*document, error) {
	r := s.remotes.of(p)
	for {
		r.mu.Lock()
		now := s.d.Now()
		old := r.doc == nil || now.Sub(r.at) >= discoverEvery
		if old && r.asking == nil && (r.failed.IsZero() || now.Sub(r.failed) >= discoverRetry) {
			r.asking = make(chan struct{})
			go s.ask(context.WithoutCancel(ctx), r, issuerOf(p))
		}
		doc, usable, asking, err := r.doc, now.Sub(r.at) < discoverMost, r.asking, r.err
		r.mu.Unlock()
		switch {
		case doc != nil && usable:
			return doc, nil
		case asking == nil:
			return nil, down(fmt.Errorf("discovery: %w", err))
		}
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, down(ctx.Err())
		}
	}
}

// ask asks a provider for its description.
func (s *Service) ask(ctx context.Context, r *remote, issuer string) {
	doc, err := s.discover(ctx, issuer)
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := s.d.Now(); err == nil {
		r.doc, r.at, r.failed, r.err = doc, now, time.Time{}, nil
	} else {
		r.failed, r.err = now, err
	}
	close(r.asking)
	r.asking = nil
}

// discover reads the document. go-oidc holds it to the issuer that was asked.
func (s *Service) discover(ctx context.Context, issuer string) (*document, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.http), remoteTime)
	defer cancel()
	found, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, errors.New(clip(err.Error()))
	}
	var doc document
	if err := found.Claims(&doc); err != nil {
		return nil, errors.New("the document is not readable")
	}
	for _, u := range []string{doc.AuthURL, doc.TokenURL} {
		if !s.sound(u) {
			return nil, errors.New("the document names an endpoint that is no https URL")
		}
	}
	if !s.sound(doc.EndSession) {
		doc.EndSession = ""
	}
	return &doc, nil
}

// sound reports whether an endpoint is a URL that may be used.
func (s *Service) sound(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Host != "" && u.User == nil && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && relaxed(s.d.Env))
}

// config is Portreeve as the provider's client.
func (d *document) config(c *identity.Client, redirect string) (*oauth2.Config, error) {
	out := &oauth2.Config{
		ClientID: c.ID, ClientSecret: c.Secret.Reveal(), RedirectURL: redirect, Scopes: c.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: d.AuthURL, TokenURL: d.TokenURL, AuthStyle: oauth2.AuthStyleInHeader},
	}
	methods := d.AuthMethods
	switch {
	case c.Secret.Empty(): // a public client names itself in the form
		out.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	case len(methods) == 0 || slices.Contains(methods, "client_secret_basic"): // the default of Discovery section 3
	case slices.Contains(methods, "client_secret_post"):
		out.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	default:
		return nil, down(errors.New("the provider takes no client secret, neither by header nor by form"))
	}
	return out, nil
}

// errSpent says that a code or refresh token is none that the provider takes.
var errSpent = errors.New("session: the provider does not take the grant any more")

// grantError sorts what the token endpoint said. Neither the answer nor the request
// is quoted: either may hold a token.
func grantError(err error) error {
	var r *oauth2.RetrieveError
	if errors.As(err, &r) {
		switch r.ErrorCode {
		case "invalid_grant":
			return errSpent
		case "":
			return down(fmt.Errorf("the token endpoint answered %d", r.Response.StatusCode))
		}
		return down(fmt.Errorf("the token endpoint answered %d %s", r.Response.StatusCode, clip(r.ErrorCode)))
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return down(fmt.Errorf("the token endpoint: %s", clip(err.Error())))
}

// down says that a provider cannot be talked to.
func down(err error) *fault.Error {
	f := *ErrProvider
	f.Err = err
	return &f
}

// clip keeps what a stranger wrote short and on one line.
func clip(s string) string {
	out := make([]rune, 0, 160)
	for _, r := range s {
		if len(out) == 160 {
			return string(out) + "…"
		}
		if r < ' ' || r == 0x7f {
			r = '?'
		}
		out = append(out, r)
	}
	return string(out)
}

// newClient is a client with bounds: it follows no redirect, since a token
// endpoint has none to make, and reads no endless answer.
func newClient(base *http.Client, relaxed bool) *http.Client {
	next := http.DefaultTransport
	if base != nil && base.Transport != nil {
		next = base.Transport
	}
	return &http.Client{
		Transport: bounded{next, relaxed}, Timeout: remoteTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type bounded struct {
	next    http.RoundTripper
	relaxed bool
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.relaxed {
		return nil, errors.New("only https is talked")
	}
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, remoteAnswer), res.Body}
	return res, nil
}
