package login

import (
	"context"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// path is one operation of a surface.
type path struct {
	method, path, name string
	body               int64
	read               reader // through the gate
	run                run    // or not: it takes no password, refresh token or code
	there              bool
}

type run = func(context.Context, *gateway.Call) (request.Reply, error)

// Routes lists the surface's operations.
func (u *Surface) Routes() []gateway.SurfaceRoute {
	surface, list := "login", u.paths()
	if u.login == nil {
		surface, list = "backoffice", []path{{"POST", "/oauth/token", "sign in", maxBody, u.readBackoffice, nil, true}}
	}
	var out []gateway.SurfaceRoute
	for _, p := range list {
		if !p.there {
			continue
		}
		op := gateway.Operation{Surface: surface, Name: p.name, MaxBody: p.body, Shape: u.Shape(), Run: p.run}
		if p.read != nil {
			op.Run = func(ctx context.Context, c *gateway.Call) (request.Reply, error) { return u.pass(ctx, c, p.read) }
		}
		out = append(out, gateway.SurfaceRoute{Method: p.method, Path: p.path, Anonymous: true, OtherSites: true, Op: op})
	}
	return out
}

// paths are those of login: what goes through the gate first. A path whose service
// is not configured is unknown.
func (u *Surface) paths() []path {
	api := u.auth0 != nil
	own := !api && u.site.Factors != nil
	return []path{
		{"POST", "/oauth/token", "get tokens", maxBody, u.readToken, nil, true},
		{"POST", "/oauth/refresh", "refresh tokens", maxBody, u.readRefresh, nil, true},
		{"POST", "/signup", "make an account", maxBody, u.readSignup, nil, api},
		{"POST", "/mfa/token", "get a token of the MFA interface", maxBody, u.readMFAToken, nil, api},
		{"POST", "/mfa/verify", "prove a second factor", maxBody, u.readProof, nil, api || own},
		{"GET", callbackPath, "come back from a provider", 0, u.readCallback, nil, u.social() != nil},

		{"GET", "/social/:connection", "sign in by another's account", 0, nil, u.beginSocial, u.social() != nil},
		{"GET", "/layer/session", "get a session token", 0, nil, u.layer.session, u.layer != nil},
		{"POST", "/layer/session/account", "see whose a session token is", maxBody, nil, u.layer.account, u.layer != nil},
		{"GET", "/layer/jwks.json", "the keys of session tokens", 0, nil, u.layerKeys, u.layer != nil},
		{"POST", "/change-password", "ask for a mail to change a password", maxBody, nil, u.changePassword, api},
		{"POST", "/email/verify", "ask for a mail to verify an address", maxBody, nil, u.verifyEmail, u.mails != nil},
		{"POST", "/email/validate", "see whether an address can be one", maxBody, nil, u.validateEmail, true},
		{"GET", "/userinfo", "see who one is", 0, nil, u.userinfo, api},
		{"POST", "/mfa/first-enroll", "enrol a first authenticator", maxBody, nil, u.enrol, api},
		{"POST", "/mfa/associate", "enrol an authenticator", maxBody, nil, u.enrol, api},
		{"POST", "/mfa/enroll", "enrol another authenticator", maxBody, nil, u.enrol, api},
		{"GET", "/mfa/authenticators", "list authenticators", 0, nil, u.authenticators, api},
		{"DELETE", "/mfa/authenticators/:id", "remove an authenticator", 0, nil, u.removeAuthenticator, api},
		{"POST", "/mfa/challenge", "ask for a challenge", maxBody, nil, u.challenge, api},
		{"POST", "/mfa/first-enroll", "enrol a first authenticator", maxBody, nil, u.enrolOwn, own},
		{"POST", "/mfa/associate", "enrol an authenticator", maxBody, nil, u.enrolOwn, own},
		{"GET", "/mfa/authenticators", "list authenticators", 0, nil, u.listOwn, own},
		{"POST", "/mfa/challenge", "ask for a challenge", maxBody, nil, u.challengeOwn, own},
		{"GET", jwksPath, "the keys of access tokens", 0, nil, u.accessJWKS, u.reissues()},
		{"GET", discoveryPath, "where they are", 0, nil, u.discovery, u.reissues()},
		{"POST", "/metric/track", "track events", 32 << 10, nil, u.track, u.metrics != nil},
	}
}

// Shape tells faults as the surface's clients know them.
func (u *Surface) Shape() gateway.Shape {
	if u.login == nil {
		return BackofficeShape
	}
	return Shape
}
