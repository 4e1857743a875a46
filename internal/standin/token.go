package standin

import (
	"crypto/subtle"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// refusal is an error answer of the token endpoint (RFC 6749 section 5.2).
type refusal struct {
	status       int
	code, reason string
	basic        bool // the client spoke Basic, and is answered in it
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.basic {
		w.Header().Set("WWW-Authenticate", `Basic realm="token"`)
	}
	reply(w, r.status, map[string]string{"error": r.code, "error_description": r.reason})
}

func invalidRequest(reason string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "invalid_request", reason: reason}
}

// token answers the client credentials grant, with the resource indicators of
// RFC 8707.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	form, bad := readForm(w, r)
	if bad != nil {
		bad.write(w)
		return
	}
	c, bad := i.authenticate(r, form)
	if bad != nil {
		bad.write(w)
		return
	}
	claims, bad := grant(c, form)
	if bad != nil {
		bad.write(w)
		return
	}
	token, err := i.Mint(claims)
	if err != nil {
		(&refusal{status: http.StatusInternalServerError, code: "server_error", reason: "cannot sign"}).write(w)
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"access_token": token,
		"token_type":   "Bearer",
		"expires_in":   int(i.o.Lifetime.Seconds()),
		"scope":        claims["scope"],
	})
}

// readForm reads the body as the form that RFC 6749 section 3.2 asks for:
// nothing in the query, no parameter twice.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, invalidRequest("the body must be application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return nil, invalidRequest("parameters belong into the body")
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		return nil, invalidRequest("the body cannot be read as a form")
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" {
			return nil, invalidRequest(fmt.Sprintf("parameter %q more than once", name))
		}
	}
	return r.PostForm, nil
}

// authenticate finds the client by Basic or by the form, and never by both
// (RFC 6749 section 2.3).
func (i *Issuer) authenticate(r *http.Request, form url.Values) (*Client, *refusal) {
	id, secret, basic := r.BasicAuth()
	if basic {
		if form.Has("client_secret") {
			return nil, invalidRequest("credentials both in Authorization and in the body")
		}
		var errID, errSecret error
		id, errID = url.QueryUnescape(id)
		secret, errSecret = url.QueryUnescape(secret)
		if errID != nil || errSecret != nil || form.Has("client_id") && form.Get("client_id") != id {
			return nil, invalidRequest("the client's name cannot be read, or is two")
		}
	} else {
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	for n := range i.o.Clients {
		c := &i.o.Clients[n]
		if c.ID == id && subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) == 1 && secret != "" {
			return c, nil
		}
	}
	return nil, &refusal{status: http.StatusUnauthorized, code: "invalid_client", reason: "unknown client or wrong secret", basic: basic}
}

// grant works out the claims of what the client asks for.
func grant(c *Client, form url.Values) (map[string]any, *refusal) {
	if form.Get("grant_type") != "client_credentials" {
		return nil, &refusal{status: http.StatusBadRequest, code: "unsupported_grant_type", reason: "only client_credentials"}
	}
	audience := form["resource"]
	if len(audience) == 0 && len(c.Audiences) > 0 {
		audience = c.Audiences[:1]
	}
	for _, a := range audience {
		if !slices.Contains(c.Audiences, a) {
			return nil, &refusal{status: http.StatusBadRequest, code: "invalid_target", reason: "this client has no such resource"}
		}
	}
	scopes := strings.Fields(form.Get("scope"))
	if len(scopes) == 0 {
		scopes = c.Scopes
	}
	for _, s := range scopes {
		if !slices.Contains(c.Scopes, s) {
			return nil, &refusal{status: http.StatusBadRequest, code: "invalid_scope", reason: "this client has no such scope"}
		}
	}
	claims := map[string]any{"sub": c.ID, "client_id": c.ID, "scope": strings.Join(scopes, " ")}
	maps.Copy(claims, c.Claims)
	for _, own := range []string{"iss", "exp", "iat", "jti"} {
		delete(claims, own)
	}
	switch len(audience) {
	case 0:
		delete(claims, "aud")
	case 1:
		claims["aud"] = audience[0]
	default:
		claims["aud"] = audience
	}
	return claims, nil
}
