package standin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorizeTakes are the parameters of /authorize that a login edge may send.
var authorizeTakes = []string{"response_type", "client_id", "redirect_uri", "connection", "scope", "audience", "state", "nonce", "code_challenge", "code_challenge_method"}

// authorize signs in whom Social names, at once. A redirect_uri that the
// application did not register gets a page and no redirect.
func (a *Auth0) authorize(w http.ResponseWriter, r *http.Request, s *Sent) {
	q := r.URL.Query()
	for name, values := range q {
		if !slices.Contains(authorizeTakes, name) || len(values) != 1 {
			a.complain(s, "parameter %q is unknown, or stands there twice", name)
		}
	}
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "state", "connection", "scope"} {
		if q.Get(name) == "" {
			a.complain(s, "parameter %q is missing", name)
		}
	}
	if _, known := a.client(q.Get("client_id")); !known || !slices.Contains(a.o.Callbacks, q.Get("redirect_uri")) {
		a.complain(s, "client %q may not return to %q", q.Get("client_id"), q.Get("redirect_uri"))
		http.Error(w, "Callback URL mismatch.", http.StatusForbidden)
		return
	}
	if q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256" {
		a.complain(s, "no PKCE")
	}
	back := url.Values{"state": {q.Get("state")}}
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.people[strings.ToLower(a.o.Social[q.Get("connection")])]
	switch {
	case q.Get("response_type") != "code":
		back.Set("error", "unsupported_response_type")
	case u == nil:
		back.Set("error", "access_denied")
		back.Set("error_description", "User did not authorize the request")
	default:
		code := unique()
		a.codes[code] = given{client: q.Get("client_id"), audience: q.Get("audience"), scopes: strings.Fields(q.Get("scope")), user: u,
			nonce: q.Get("nonce"), redirect: q.Get("redirect_uri"), challenge: q.Get("code_challenge")}
		back.Set("code", code)
	}
	to := q.Get("redirect_uri")
	if strings.Contains(to, "?") {
		to += "&" + back.Encode()
	} else {
		to += "?" + back.Encode()
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// userinfo is OIDC Core section 5.3, for tokens that were asked with openid.
func (a *Auth0) userinfo(w http.ResponseWriter, _ *http.Request, s *Sent) {
	claims := a.claims(bearer(s))
	audience, _ := claims["aud"].([]any)
	sub, _ := claims["sub"].(string)
	scope, _ := claims["scope"].(string)
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.byID(sub)
	if u == nil || !slices.ContainsFunc(audience, func(v any) bool { return v == a.URL()+"/userinfo" }) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="Users", error="invalid_token"`)
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	reply(w, http.StatusOK, u.profile(strings.Fields(scope)))
}
