package standin

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// manages reports whether the bearer may do what scope allows at the Management
// API, and answers where not.
func (a *Auth0) manages(w http.ResponseWriter, s *Sent, scope string) bool {
	claims := a.claims(bearer(s))
	got, _ := claims["scope"].(string)
	switch {
	case claims["aud"] != a.managementAudience():
		a.complain(s, "no token of the Management API")
		managementError(w, http.StatusUnauthorized, "Unauthorized", "Invalid token")
	case !slices.Contains(strings.Fields(got), scope):
		a.complain(s, "a token without %s", scope)
		managementError(w, http.StatusForbidden, "Forbidden", "Insufficient scope, expected any of: "+scope)
	default:
		return true
	}
	return false
}

func managementError(w http.ResponseWriter, status int, name, reason string) {
	reply(w, status, map[string]any{"statusCode": status, "error": name, "message": reason})
}

func (a *Auth0) verificationEmail(w http.ResponseWriter, _ *http.Request, s *Sent) {
	if !a.manages(w, s, "update:users") {
		return
	}
	if missing := a.check(s, shape{"user_id", "client_id identity:object organization_id"}); missing != "" {
		managementError(w, http.StatusBadRequest, "Bad Request", "Payload validation error: 'Missing required property: "+missing+"'.")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.byID(s.Text("user_id"))
	if u == nil {
		managementError(w, http.StatusNotFound, "Not Found", "The user does not exist.")
		return
	}
	a.mails = append(a.mails, Mail{u.Email, "verify"})
	reply(w, http.StatusCreated, map[string]string{"type": "verification_email", "status": "pending", "id": "job_" + unique()[:16],
		"created_at": a.o.Now().UTC().Format(time.RFC3339)})
}

func (a *Auth0) usersByEmail(w http.ResponseWriter, r *http.Request, s *Sent) {
	q := r.URL.Query()
	for name := range q {
		if !slices.Contains([]string{"email", "fields", "include_fields"}, name) {
			a.complain(s, "parameter %q is unknown", name)
		}
	}
	if !a.manages(w, s, "read:users") {
		return
	}
	out := []map[string]any{}
	a.mu.Lock()
	defer a.mu.Unlock()
	// The search is case-sensitive, over addresses that the connection stored in lower case.
	if u := a.people[q.Get("email")]; u != nil {
		out = append(out, map[string]any{"user_id": u.id, "email": u.Email, "email_verified": u.Verified,
			"identities": []map[string]any{{"connection": a.o.Connection, "provider": "auth0", "user_id": strings.TrimPrefix(u.id, "auth0|"), "isSocial": false}}})
	}
	reply(w, http.StatusOK, out)
}
