package mfa

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	// Header carries a step-up token, Cookie that of a session.
	Header = identity.HeaderMFA
	Cookie = identity.CookieMFA

	maxBody        = 4 << 10
	maxPasskeyBody = 64 << 10 // an attestation with its certificates
)

// Routes lists the operations of a site that is configured so:
//
//	GET    /mfa                            {enabled, factors, passkeys, lockedUntil?}
//	POST   /mfa/setup                      → {secret, otpauthUrl, qr}; {code?} where a passkey is enabled
//	POST   /mfa/verify                     {code} → {verified} or {verified, stepUpToken, expiresIn}
//	POST   /mfa/enable                     {code?} → {enabled, backupCodes}
//	POST   /mfa/disable                    {code?} → {enabled: false}
//	GET    /mfa/backup-codes               → {remaining, codes?}; with codes=false → {remaining, kept?}, and
//	                                       kept says that the codes can still be read once
//	POST   /mfa/backup-codes               {code?} → {remaining, codes}
//	POST   /mfa/passkeys/register/begin    {code?} → {publicKey}
//	POST   /mfa/passkeys/register/finish   {name?, …the credential} → 201 {id, name, createdAt, lastUsedAt}
//	POST   /mfa/passkeys/login/begin       → {publicKey}
//	POST   /mfa/passkeys/login/finish      {…the credential} → {verified, stepUpToken, expiresIn}
//	DELETE /mfa/passkeys/{id}              {code?} → 204
//	GET    /.portreeve/mfa?return=         the prompt
//	POST   /.portreeve/mfa                 its form: code, return
//	GET    /.portreeve/mfa.js              its script
//
// Where code? stands, a fresh step-up in X-Portreeve-MFA (or a session's cookie)
// serves instead.
func (s *Service) Routes(cfg *Config) []gateway.SurfaceRoute {
	h := &surface{s: s, set: cfg.Resolve()}
	route := func(method, path, name string, body int64, run func(context.Context, *gateway.Call, Person) (request.Reply, error)) gateway.SurfaceRoute {
		return gateway.SurfaceRoute{Method: method, Path: path, Op: gateway.Operation{Surface: "mfa", Name: name, MaxBody: body, Tenant: true, Run: h.person(run)}}
	}
	routes := []gateway.SurfaceRoute{
		route("GET", "/mfa", "read the caller's second factors", 0, h.state),
		route("POST", "/mfa/setup", "set up an authenticator app", maxBody, h.setup),
		route("POST", "/mfa/verify", "verify a code", maxBody, h.verify),
		route("POST", "/mfa/enable", "enable the authenticator app", maxBody, h.enable),
		route("POST", "/mfa/disable", "disable second factors", maxBody, h.disable),
		route("GET", "/mfa/backup-codes", "count backup codes", 0, h.codes),
		route("POST", "/mfa/backup-codes", "replace backup codes", maxBody, h.newCodes),
		route("POST", "/mfa/passkeys/register/begin", "begin to register a passkey", maxBody, h.beginRegister),
		route("POST", "/mfa/passkeys/register/finish", "register a passkey", maxPasskeyBody, h.finishRegister),
		route("POST", "/mfa/passkeys/login/begin", "begin to show a passkey", maxBody, h.beginLogin),
		route("POST", "/mfa/passkeys/login/finish", "show a passkey", maxPasskeyBody, h.finishLogin),
		route("DELETE", "/mfa/passkeys/:id", "remove a passkey", maxBody, h.removePasskey),
	}
	if s.d.Pages == nil {
		return routes
	}
	return append(routes, h.pages()...)
}

// surface is the operations with their settings.
type surface struct {
	s   *Service
	set Settings
}

// person refuses whoever has no second factors of its own.
func (h *surface) person(run func(context.Context, *gateway.Call, Person) (request.Reply, error)) func(context.Context, *gateway.Call) (request.Reply, error) {
	return func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
		p, err := personOf(c)
		if err != nil {
			return request.Reply{}, err
		}
		return run(ctx, c, p)
	}
}

// personOf is the caller itself: X-Tenant-ID makes nobody somebody else.
func personOf(c *gateway.Call) (Person, error) {
	p, err := PersonOf(c.Who, c.Standing.Tenant, c.Standing.UserID, c.Site.Name)
	if err == nil && c.Tenant != p.Tenant {
		return Person{}, fault.New(fault.Forbidden, "other_tenant", "Second factors are the caller's own")
	}
	return p, err
}

func by(c *gateway.Call) tenant.By {
	return tenant.By{Actor: c.Actor(), Request: c.View.ID, Decision: c.Decision}
}

// tokenOf is the step-up token that came along. One that stands twice is none.
func tokenOf(c *gateway.Call) string {
	if c.View.Header.Has(Header) {
		if c.View.Header.Count(Header) != 1 {
			return ""
		}
		return c.View.Header.Get(Header)
	}
	if list := c.View.Header.Cookies(Cookie); len(list) == 1 && isSession(c.Who) {
		return list[0]
	}
	return ""
}

// codeBody is what most operations take.
type codeBody struct {
	Code string `json:"code"`
}

const longestCode = 64

// proofOf reads what proves the caller's right to a change.
func proofOf(c *gateway.Call) (Proof, error) {
	var b codeBody
	if err := input.JSON(c.Body, &b); err != nil {
		return Proof{}, err
	}
	code, err := cleanCode(b.Code)
	return Proof{Code: code, Token: tokenOf(c)}, err
}

// cleanCode takes away the blanks that people type among digits.
func cleanCode(code string) (string, error) {
	if len(code) > longestCode {
		return "", input.Invalid("code", "must be a code of six digits, or a backup code")
	}
	return strings.ReplaceAll(strings.TrimSpace(code), " ", ""), nil
}

// partyOf is the side that passkeys of the site that is called are for. A page
// that came by TLS to a proxy that we are not told to trust is the site's too.
func (h *surface) partyOf(c *gateway.Call) Party {
	origin := c.View.Origin()
	pt := Party{Host: c.View.Host, Name: h.issuer(c), Origins: []string{origin}}
	if rest, plain := strings.CutPrefix(origin, "http://"); plain {
		pt.Origins = append(pt.Origins, "https://"+rest)
	}
	return pt
}

func (h *surface) issuer(c *gateway.Call) string {
	if h.set.Issuer != "" {
		return h.set.Issuer
	}
	return clipped(c.View.Host, 64)
}

// verified is the answer to a factor that was shown.
type verified struct {
	Verified    bool   `json:"verified"`
	StepUpToken string `json:"stepUpToken,omitempty"`
	ExpiresIn   int64  `json:"expiresIn,omitempty"` // seconds
}

// steppedUp answers with a step-up. A session has it in a cookie too.
func steppedUp(c *gateway.Call, up StepUp) request.Reply {
	reply := gateway.JSON(200, verified{Verified: true, StepUpToken: up.Token, ExpiresIn: int64(up.ExpiresIn.Seconds())})
	if isSession(c.Who) {
		reply.Header = append(reply.Header, cookiesOf(up)...)
	}
	return reply
}

// credentialOf is the credential of a browser: the whole body, or its member credential.
func credentialOf(c *gateway.Call) (name string, raw []byte, err error) {
	var b struct {
		Name       string          `json:"name"`
		Credential json.RawMessage `json:"credential"`
	}
	if err := input.JSON(c.Body, &b); err != nil {
		return "", nil, err
	}
	if len(b.Credential) > 0 {
		return b.Name, b.Credential, nil
	}
	return b.Name, c.Body, nil
}
