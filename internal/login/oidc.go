package login

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// How long a discovery document counts, and how soon one that was not to be had is
// asked for again.
const (
	discoverEvery = time.Hour
	discoverMost  = 24 * time.Hour
	discoverRetry = 5 * time.Second
)

// oidcProvider speaks the standard grants to any provider (RFC 6749 sections 4.3 and
// 6, RFC 7009), by forms.
type oidcProvider struct {
	s    *Service
	c    *ProviderConfig
	root *outbound.Client

	mu     sync.Mutex
	found  *endpoints
	at     time.Time
	failed time.Time
	why    error
	asking chan struct{}
}

// endpoints are those of a provider.
type endpoints struct {
	token, revocation *outbound.Client // revocation nil: there is none
	basic             bool             // the secret goes by header
}

func (s *Service) newOIDC(c *ProviderConfig) (*oidcProvider, error) {
	root, err := s.caller(c.BaseURL.String(), c.timeout())
	if err != nil {
		return nil, err
	}
	p := &oidcProvider{s: s, c: c, root: root}
	if c.Endpoints != nil {
		p.found, err = p.reach(c.Endpoints.Token.String(), c.Endpoints.Revocation.String())
	}
	return p, err
}

func (p *oidcProvider) reach(token, revocation string) (e *endpoints, err error) {
	e = &endpoints{}
	if e.token, err = p.s.caller(token, p.c.timeout()); err != nil {
		return nil, errors.New("the token endpoint " + err.Error())
	}
	if revocation != "" {
		if e.revocation, err = p.s.caller(revocation, p.c.timeout()); err != nil {
			return nil, errors.New("the revocation endpoint " + err.Error())
		}
	}
	return e, nil
}

// endpoints are read once an hour; an old document does while the provider is asked,
// or away. All who need one wait for one question.
func (p *oidcProvider) endpoints(ctx context.Context) (*endpoints, error) {
	if p.c.Endpoints != nil {
		return p.found, nil
	}
	for {
		p.mu.Lock()
		now := p.s.d.Now()
		if (p.found == nil || now.Sub(p.at) >= discoverEvery) && p.asking == nil && (p.failed.IsZero() || now.Sub(p.failed) >= discoverRetry) {
			p.asking = make(chan struct{})
			go p.discover(context.WithoutCancel(ctx))
		}
		found, usable, asking, why := p.found, now.Sub(p.at) < discoverMost, p.asking, p.why
		p.mu.Unlock()
		switch {
		case found != nil && usable:
			return found, nil
		case asking == nil:
			return nil, sendFault(why)
		}
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, because(errLate, ctx.Err())
		}
	}
}

func (p *oidcProvider) discover(ctx context.Context) {
	found, err := p.document(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.s.d.Now(); err == nil {
		p.found, p.at, p.failed, p.why = found, now, time.Time{}, nil
	} else {
		p.failed, p.why = now, err
	}
	close(p.asking)
	p.asking = nil
}

func (p *oidcProvider) document(ctx context.Context) (*endpoints, error) {
	got, err := p.root.Do(ctx, outbound.Request{Method: "GET", Path: "/.well-known/openid-configuration"})
	if err != nil {
		return nil, err
	}
	var doc struct {
		Issuer     string   `json:"issuer"`
		Token      string   `json:"token_endpoint"`
		Revocation string   `json:"revocation_endpoint"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
	}
	switch {
	case got.Status != 200 || json.Unmarshal(got.Body, &doc) != nil:
		return nil, errors.New("discovery: no document")
	case strings.TrimSuffix(doc.Issuer, "/") != strings.TrimSuffix(p.c.BaseURL.String(), "/"):
		return nil, errors.New("discovery: the document is another issuer's") // Discovery section 4.3
	}
	e, err := p.reach(doc.Token, doc.Revocation)
	if err != nil {
		return nil, errors.New("discovery: " + err.Error())
	}
	e.basic = len(doc.Methods) == 0 || slices.Contains(doc.Methods, "client_secret_basic") && !slices.Contains(doc.Methods, "client_secret_post")
	return e, nil
}

// token sends a grant as a form.
func (p *oidcProvider) token(ctx context.Context, from netip.Addr, g grant) (*answer, error) {
	e, err := p.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	form := url.Values{"grant_type": {g.kind}}
	for name, v := range g.fields {
		form.Set(name, v)
	}
	if g.kind == byPassword {
		form.Set("scope", p.c.scope())
		if p.c.Audience != "" {
			form.Set("audience", p.c.Audience)
		}
	}
	if g.challenge != nil {
		form.Set("challengeRequired", map[bool]string{true: "true", false: "false"}[*g.challenge])
	}
	return send(ctx, e.token, from, p.form(e, form), object)
}

// revoke ends a refresh token (RFC 7009).
func (p *oidcProvider) revoke(ctx context.Context, from netip.Addr, refresh string) error {
	e, err := p.endpoints(ctx)
	if err != nil {
		return err
	}
	if e.revocation == nil {
		return errors.New("the provider has no revocation endpoint")
	}
	a, err := send(ctx, e.revocation, from, p.form(e, url.Values{"token": {refresh}, "token_type_hint": {"refresh_token"}}), anything)
	if err != nil {
		return err
	}
	return a.mustBeGranted()
}

// form is a call with a form, in Portreeve's own name.
func (p *oidcProvider) form(e *endpoints, v url.Values) outbound.Request {
	r := outbound.Request{Method: "POST", Header: request.Header{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}}
	secret := p.c.ClientSecret.Reveal()
	if e.basic && secret != "" { // RFC 6749 section 2.3.1
		pair := url.QueryEscape(p.c.ClientID) + ":" + url.QueryEscape(secret)
		r.Header = append(r.Header, request.Field{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))})
	} else {
		v.Set("client_id", p.c.ClientID)
		if secret != "" {
			v.Set("client_secret", secret)
		}
	}
	r.Body = []byte(v.Encode())
	return r
}
