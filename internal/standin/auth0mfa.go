package standin

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// authenticator is a second factor.
type authenticator struct {
	ID      string `json:"id"`
	Type    string `json:"authenticator_type"`
	Active  bool   `json:"active"`
	Channel string `json:"oob_channel,omitempty"`
	Name    string `json:"name,omitempty"`

	phone  string
	secret []byte
}

// pending is a login that waits for its second factor.
type pending struct {
	grant given
	until time.Time
}

// outOfBand is a code that was sent to a telephone.
type outOfBand struct {
	user          *account
	authenticator string
	binding       string
}

// mfaFor is how long an mfa_token counts.
const mfaFor = 10 * time.Minute

// requireFactor answers mfa_required. The lock is held.
func (a *Auth0) requireFactor(w http.ResponseWriter, g given) {
	token := "Fe26.2*" + unique()
	a.mfa[token] = &pending{g, a.o.Now().Add(mfaFor)}
	reply(w, http.StatusForbidden, map[string]string{"error": "mfa_required", "error_description": "Multifactor authentication required", "mfa_token": token})
}

// holder is who an mfa token or an access token of the MFA API speaks for, with
// the scopes; own reports that it is the latter.
func (a *Auth0) holder(token string) (u *account, scopes []string, own bool) {
	if p := a.mfa[token]; p != nil {
		if !a.o.Now().Before(p.until) {
			return nil, nil, false
		}
		return p.grant.user, []string{"enroll", "read:authenticators"}, false
	}
	claims := a.claims(token)
	audience, _ := claims["aud"].([]any)
	if !slices.ContainsFunc(audience, func(v any) bool { return v == a.mfaAudience() }) {
		return nil, nil, false
	}
	sub, _ := claims["sub"].(string)
	scope, _ := claims["scope"].(string)
	return a.byID(sub), strings.Fields(scope), true
}

// claims are those of a token of this tenant that is alive, nil otherwise.
func (a *Auth0) claims(token string) map[string]any {
	t, err := jws.Parse(token)
	if err != nil {
		return nil
	}
	for _, k := range a.known() {
		if k.id != t.Header.Kid || t.Verify(k.signer.Public()) != nil {
			continue
		}
		claims, err := jws.DecodeClaims(t.Payload)
		n, ok := claims["exp"].(interface{ Int64() (int64, error) })
		if err != nil || !ok {
			return nil
		}
		if at, err := n.Int64(); err != nil || at <= a.o.Now().Unix() {
			return nil
		}
		return claims
	}
	return nil
}

func (a *Auth0) associate(w http.ResponseWriter, _ *http.Request, s *Sent) {
	if a.check(s, shape{"authenticator_types:texts", "oob_channels:texts phone_number client_id client_secret email"}) != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter: authenticator_types")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u, scopes, own := a.holder(bearer(s))
	switch {
	case u == nil:
		oauthError(w, http.StatusUnauthorized, "invalid_grant", "Malformed mfa_token")
		return
	case !slices.Contains(scopes, "enroll"):
		oauthError(w, http.StatusForbidden, "insufficient_scope", "Insufficient scope")
		return
	case !own && slices.ContainsFunc(u.authenticators, func(f authenticator) bool { return f.Active }):
		oauthError(w, http.StatusForbidden, "access_denied", "User is already enrolled.")
		return
	}
	out := map[string]any{}
	switch kinds := texts(s.Params["authenticator_types"]); {
	case slices.Equal(kinds, []string{"otp"}):
		secret := make([]byte, 20)
		_, _ = rand.Read(secret)
		text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
		u.authenticators = append(u.authenticators, authenticator{ID: "totp|dev_" + unique()[:16], Type: "otp", secret: secret})
		out["authenticator_type"], out["secret"] = "otp", text
		out["barcode_uri"] = "otpauth://totp/tenant:" + url.PathEscape(u.Email) + "?secret=" + text + "&issuer=tenant&algorithm=SHA1&digits=6&period=30"
	case slices.Equal(kinds, []string{"oob"}):
		channels, phone := texts(s.Params["oob_channels"]), s.Text("phone_number")
		if len(channels) != 1 || channels[0] != "sms" && channels[0] != "voice" {
			a.complain(s, "oob_channels %v", channels)
			oauthError(w, http.StatusBadRequest, "invalid_request", "oob_channels is required")
			return
		}
		if !strings.HasPrefix(phone, "+") || len(phone) < 8 {
			oauthError(w, http.StatusBadRequest, "invalid_request", "Invalid phone number")
			return
		}
		f := authenticator{ID: channels[0] + "|dev_" + unique()[:16], Type: "oob", Channel: channels[0], Name: masked(phone), phone: phone}
		u.authenticators = append(u.authenticators, f)
		out["authenticator_type"], out["binding_method"] = "oob", "prompt"
		out["oob_channel"], out["oob_code"] = channels[0], a.send(u, f)
	default:
		a.complain(s, "authenticator_types %v", kinds)
		oauthError(w, http.StatusBadRequest, "invalid_request", "unsupported authenticator type")
		return
	}
	if u.recovery == "" {
		u.recovery = unique()[:24]
		out["recovery_codes"] = []string{u.recovery}
	}
	reply(w, http.StatusOK, out)
}

// send texts a code and returns the oob_code that goes with it.
func (a *Auth0) send(u *account, f authenticator) string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000))
	code := "Fe26.2*oob*" + unique()
	o := &outOfBand{u, f.ID, fmt.Sprintf("%06d", n)}
	a.oob[code] = o
	a.texts = append(a.texts, MFAText{f.phone, o.binding})
	return code
}

func (a *Auth0) authenticators(w http.ResponseWriter, _ *http.Request, s *Sent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, scopes, _ := a.holder(bearer(s))
	switch {
	case u == nil:
		oauthError(w, http.StatusUnauthorized, "invalid_grant", "Malformed mfa_token")
	case !slices.Contains(scopes, "read:authenticators"):
		oauthError(w, http.StatusForbidden, "insufficient_scope", "Insufficient scope")
	default:
		list := append([]authenticator{}, u.authenticators...)
		if u.recovery != "" {
			list = append(list, authenticator{ID: "recovery-code|dev_" + u.recovery[:8], Type: "recovery-code", Active: true})
		}
		reply(w, http.StatusOK, list)
	}
}

func (a *Auth0) removeAuthenticator(w http.ResponseWriter, r *http.Request, s *Sent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, scopes, _ := a.holder(bearer(s))
	switch {
	case u == nil:
		oauthError(w, http.StatusUnauthorized, "invalid_grant", "Malformed mfa_token")
		return
	case !slices.Contains(scopes, "remove:authenticators"):
		oauthError(w, http.StatusForbidden, "insufficient_scope", "Insufficient scope")
		return
	}
	id := r.PathValue("id")
	kept := slices.DeleteFunc(slices.Clone(u.authenticators), func(f authenticator) bool { return f.ID == id })
	if len(kept) == len(u.authenticators) {
		oauthError(w, http.StatusNotFound, "not_found", "Authenticator not found")
		return
	}
	u.authenticators = kept
	w.WriteHeader(http.StatusNoContent)
}

func (a *Auth0) challenge(w http.ResponseWriter, _ *http.Request, s *Sent) {
	if missing := a.check(s, shape{"mfa_token client_id client_secret", "challenge_type authenticator_id"}); missing != "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "Missing required parameter: "+missing)
		return
	}
	if !a.authentic(s) {
		oauthError(w, http.StatusUnauthorized, "access_denied", "Unauthorized")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u, _, _ := a.holder(s.Text("mfa_token"))
	if u == nil {
		oauthError(w, http.StatusUnauthorized, "invalid_grant", "Malformed mfa_token")
		return
	}
	kinds := strings.Fields(s.Text("challenge_type")) // several may be offered
	for _, f := range u.authenticators {
		asked := s.Text("authenticator_id") == f.ID || s.Text("authenticator_id") == "" && f.Active
		if !asked || len(kinds) > 0 && !slices.Contains(kinds, f.Type) {
			continue
		}
		if f.Type == "otp" {
			reply(w, http.StatusOK, map[string]string{"challenge_type": "otp"})
			return
		}
		reply(w, http.StatusOK, map[string]string{"challenge_type": "oob", "oob_code": a.send(u, f), "binding_method": "prompt"})
		return
	}
	if s.Text("authenticator_id") != "" {
		oauthError(w, http.StatusForbidden, "invalid_grant", "Invalid authenticator_id")
		return
	}
	oauthError(w, http.StatusForbidden, "unsupported_challenge_type", "User does not have any enrolled authenticator of that type.")
}

// byFactor finishes a login with a second factor. The lock is held.
func (a *Auth0) byFactor(w http.ResponseWriter, s *Sent, kind string) {
	token := s.Text("mfa_token")
	p := a.mfa[token]
	switch {
	case p == nil:
		oauthError(w, http.StatusForbidden, "invalid_grant", "Malformed mfa_token")
		return
	case !a.o.Now().Before(p.until):
		oauthError(w, http.StatusUnauthorized, "expired_token", "mfa_token is expired")
		return
	case p.grant.client != s.Text("client_id"):
		a.complain(s, "the mfa_token is another client's")
		oauthError(w, http.StatusForbidden, "invalid_grant", "Malformed mfa_token")
		return
	}
	extra := map[string]any{}
	switch strings.TrimPrefix(kind, auth0Grant) {
	case "mfa-oob":
		o := a.oob[s.Text("oob_code")]
		if o == nil || o.user != p.grant.user {
			oauthError(w, http.StatusForbidden, "invalid_grant", "Malformed oob_code")
			return
		}
		if o.binding != s.Text("binding_code") {
			oauthError(w, http.StatusForbidden, "invalid_grant", "Invalid binding_code.")
			return
		}
		delete(a.oob, s.Text("oob_code"))
		p.grant.user.activate(o.authenticator)
	case "mfa-otp":
		i := slices.IndexFunc(p.grant.user.authenticators, func(f authenticator) bool {
			now := a.o.Now().Unix() / step
			return f.secret != nil && slices.Contains([]string{totp(f.secret, now), totp(f.secret, now-1), totp(f.secret, now+1)}, s.Text("otp"))
		})
		if i < 0 {
			oauthError(w, http.StatusForbidden, "invalid_grant", "Invalid otp_code.")
			return
		}
		p.grant.user.activate(p.grant.user.authenticators[i].ID)
	case "mfa-recovery-code":
		if u := p.grant.user; u.recovery == "" || u.recovery != s.Text("recovery_code") {
			oauthError(w, http.StatusForbidden, "invalid_grant", "MFA Authorization rejected.")
			return
		}
		p.grant.user.recovery = unique()[:24]
		extra["recovery_code"] = p.grant.user.recovery
	}
	delete(a.mfa, token)
	a.issueWith(w, p.grant, extra)
}

func (u *account) activate(id string) {
	for i := range u.authenticators {
		if u.authenticators[i].ID == id {
			u.authenticators[i].Active = true
		}
	}
}

func texts(v any) []string {
	list, _ := v.([]any)
	out := []string{}
	for _, e := range list {
		s, _ := e.(string)
		out = append(out, s)
	}
	return out
}
