package standin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// given is what somebody was given: the next token of the same kind is made of it.
type given struct {
	client, audience string
	scopes           []string
	user             *account
	family           string // refresh tokens that were rotated into each other
	gty              string
	nonce            string
	redirect         string // of a code, and its challenge
	challenge        string
}

const auth0Grant = "http://auth0.com/oauth/grant-type/"

// tokenShapes is what each grant takes. challengeRequired is no parameter of
// Auth0's: it reaches the tenant's Actions as event.request.body.
var tokenShapes = map[string]shape{
	"password":                       {"grant_type client_id client_secret username password", "audience scope challengeRequired:bool"},
	auth0Grant + "password-realm":    {"grant_type client_id client_secret username password realm", "audience scope challengeRequired:bool"},
	"refresh_token":                  {"grant_type client_id client_secret refresh_token", "scope audience challengeRequired:bool"},
	"authorization_code":             {"grant_type client_id client_secret code redirect_uri", "code_verifier"},
	"client_credentials":             {"grant_type client_id client_secret audience", "organization"},
	auth0Grant + "mfa-oob":           {"grant_type client_id client_secret mfa_token oob_code", "binding_code"},
	auth0Grant + "mfa-otp":           {"grant_type client_id client_secret mfa_token otp", ""},
	auth0Grant + "mfa-recovery-code": {"grant_type client_id client_secret mfa_token recovery_code", ""},
}

func (a *Auth0) token(w http.ResponseWriter, _ *http.Request, s *Sent) {
	kind := s.Text("grant_type")
	takes, ok := tokenShapes[kind]
	if !ok {
		a.complain(s, "grant type %q", kind)
		oauthError(w, http.StatusForbidden, "unauthorized_client", "Grant type '"+kind+"' not allowed for the client.")
		return
	}
	if missing := a.check(s, takes); missing != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter: "+missing)
		return
	}
	if !a.authentic(s) {
		oauthError(w, http.StatusUnauthorized, "access_denied", "Unauthorized")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch kind {
	case "password", auth0Grant + "password-realm":
		a.byPassword(w, s, kind)
	case "refresh_token":
		a.byRefresh(w, s)
	case "authorization_code":
		a.byCode(w, s)
	case "client_credentials":
		a.byClient(w, s)
	default:
		a.byFactor(w, s, kind)
	}
}

// audience says whether the tenant has an API. Its own two end in a slash.
func (a *Auth0) audience(aud string) bool {
	return aud == "" || aud == a.mfaAudience() || aud == a.managementAudience() || slices.Contains(a.o.Audiences, aud)
}

func (a *Auth0) mfaAudience() string        { return a.URL() + "/mfa/" }
func (a *Auth0) managementAudience() string { return a.URL() + "/api/v2/" }

func (a *Auth0) byPassword(w http.ResponseWriter, s *Sent, kind string) {
	if kind != "password" && s.Text("realm") != a.o.Connection {
		a.complain(s, "realm %q", s.Text("realm"))
		oauthError(w, http.StatusForbidden, "invalid_request", "the connection was not found")
		return
	}
	if !a.audience(s.Text("audience")) {
		a.complain(s, "audience %q", s.Text("audience"))
		oauthError(w, http.StatusForbidden, "access_denied", "Service not found: "+s.Text("audience"))
		return
	}
	u := a.find(s.Text("username"))
	switch {
	case u != nil && u.wrong >= tooMany:
		oauthError(w, http.StatusTooManyRequests, "too_many_attempts", "Your account has been blocked after multiple consecutive login attempts. We've sent you an email with instructions on how to unblock it.")
		return
	case u == nil || u.Password != s.Text("password"):
		if u != nil {
			u.wrong++
		}
		oauthError(w, http.StatusForbidden, "invalid_grant", "Wrong email or password.")
		return
	case u.Blocked:
		oauthError(w, http.StatusUnauthorized, "unauthorized", "user is blocked")
		return
	}
	u.wrong = 0
	g := given{client: s.Text("client_id"), audience: s.Text("audience"), scopes: strings.Fields(s.Text("scope")), user: u, gty: "password"}
	// The MFA API's own tokens are had without the second factor, or nobody could enrol one.
	challenged := s.Params["challengeRequired"] == true || s.Params["challengeRequired"] == "true"
	if (u.MFA || challenged) && g.audience != a.mfaAudience() {
		a.requireFactor(w, g)
		return
	}
	a.issue(w, g)
}

// byRefresh rotates: a refresh token counts once, and the second use of one ends
// its whole family (Auth0's reuse detection, without its leeway).
func (a *Auth0) byRefresh(w http.ResponseWriter, s *Sent) {
	token := s.Text("refresh_token")
	if g, again := a.spent[token]; again {
		a.endFamily(g.family)
	}
	g, ok := a.refresh[token]
	if !ok || g.client != s.Text("client_id") {
		oauthError(w, http.StatusForbidden, "invalid_grant", "Unknown or invalid refresh token.")
		return
	}
	if g.user.Blocked {
		oauthError(w, http.StatusForbidden, "invalid_grant", "user is blocked")
		return
	}
	if s.Params["challengeRequired"] == true || s.Params["challengeRequired"] == "true" {
		a.requireFactor(w, g)
		return
	}
	delete(a.refresh, token)
	a.spent[token] = g
	g.gty, g.nonce = "refresh_token", ""
	a.issue(w, g)
}

func (a *Auth0) endFamily(family string) {
	for t, g := range a.refresh {
		if g.family == family {
			delete(a.refresh, t)
		}
	}
}

func (a *Auth0) byCode(w http.ResponseWriter, s *Sent) {
	code := s.Text("code")
	g, ok := a.codes[code]
	delete(a.codes, code)
	sum := sha256.Sum256([]byte(s.Text("code_verifier")))
	switch {
	case !ok || g.client != s.Text("client_id"):
		oauthError(w, http.StatusForbidden, "invalid_grant", "Invalid authorization code")
	case g.redirect != s.Text("redirect_uri"):
		a.complain(s, "another redirect_uri than at /authorize")
		oauthError(w, http.StatusForbidden, "unauthorized_client", "The redirect URI is wrong.")
	case g.challenge != "" && g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		a.complain(s, "the code_verifier does not fit")
		oauthError(w, http.StatusForbidden, "invalid_grant", "Failed to verify code verifier")
	default:
		g.gty = "authorization_code"
		a.issue(w, g)
	}
}

func (a *Auth0) byClient(w http.ResponseWriter, s *Sent) {
	c, _ := a.client(s.Text("client_id"))
	aud := s.Text("audience")
	if !slices.Contains(c.Audiences, aud) && (aud != a.managementAudience() || len(c.Scopes) == 0) {
		a.complain(s, "the client is not authorized for %q", aud)
		oauthError(w, http.StatusForbidden, "access_denied", "Client is not authorized to access \""+aud+"\".")
		return
	}
	now := a.o.Now()
	token, err := a.sign(nil, map[string]any{"iss": a.Issuer(), "sub": c.ID + "@clients", "aud": aud, "azp": c.ID, "gty": "client-credentials",
		"iat": now.Unix(), "exp": now.Add(a.o.Lifetime).Unix(), "scope": strings.Join(c.Scopes, " ")})
	if err != nil {
		http.Error(w, "cannot sign", http.StatusInternalServerError)
		return
	}
	reply(w, http.StatusOK, map[string]any{"access_token": token, "scope": strings.Join(c.Scopes, " "), "expires_in": int(a.o.Lifetime.Seconds()), "token_type": "Bearer"})
}

// issue answers with a token set. The lock is held.
func (a *Auth0) issue(w http.ResponseWriter, g given) { a.issueWith(w, g, map[string]any{}) }

// issueWith is issue with more members, such as the next recovery code.
func (a *Auth0) issueWith(w http.ResponseWriter, g given, out map[string]any) {
	now, audience := a.o.Now(), []string{}
	if g.audience != "" {
		audience = append(audience, g.audience)
	}
	openid := slices.Contains(g.scopes, "openid")
	if openid && g.audience != a.mfaAudience() {
		audience = append(audience, a.URL()+"/userinfo")
	}
	access := map[string]any{"iss": a.Issuer(), "sub": g.user.id, "aud": audience, "azp": g.client, "gty": g.gty,
		"iat": now.Unix(), "exp": now.Add(a.o.Lifetime).Unix(), "scope": strings.Join(g.scopes, " "), "jti": unique()}
	out["token_type"], out["expires_in"], out["scope"] = "Bearer", int(a.o.Lifetime.Seconds()), strings.Join(g.scopes, " ")
	var err error
	if out["access_token"], err = a.sign(nil, access); err != nil {
		http.Error(w, "cannot sign", http.StatusInternalServerError)
		return
	}
	if openid {
		id := map[string]any{"iss": a.Issuer(), "aud": g.client, "iat": now.Unix(), "exp": now.Add(a.o.Lifetime).Unix()}
		if g.nonce != "" {
			id["nonce"] = g.nonce
		}
		if out["id_token"], err = a.sign(g.user.profile(g.scopes), id); err != nil {
			http.Error(w, "cannot sign", http.StatusInternalServerError)
			return
		}
	}
	if slices.Contains(g.scopes, "offline_access") {
		if g.family == "" {
			g.family = unique()
		}
		token := "v1." + unique()
		a.refresh[token] = g
		out["refresh_token"] = token
	}
	reply(w, http.StatusOK, out)
}

// revoke is RFC 7009: an unknown token is revoked too.
func (a *Auth0) revoke(w http.ResponseWriter, _ *http.Request, s *Sent) {
	if missing := a.check(s, shape{"client_id client_secret token", ""}); missing != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter: "+missing)
		return
	}
	if !a.authentic(s) {
		oauthError(w, http.StatusUnauthorized, "invalid_client", "Unauthorized")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if g, ok := a.refresh[s.Text("token")]; ok {
		a.endFamily(g.family)
	}
	w.WriteHeader(http.StatusOK)
}

// Live reports whether a refresh token still counts.
func (a *Auth0) Live(refreshToken string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.refresh[refreshToken]
	return ok
}
