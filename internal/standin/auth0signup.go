package standin

import (
	"net/http"
	"strings"
)

// signup makes an account in the database connection. It takes no secret: the
// endpoint is public, which is why the way to it is gated.
func (a *Auth0) signup(w http.ResponseWriter, _ *http.Request, s *Sent) {
	missing := a.check(s, shape{"client_id email password connection",
		"username given_name family_name name nickname picture phone_number user_metadata:object"})
	if missing != "" {
		signupError(w, "invalid_body", "BadRequestError", "Missing required parameter: "+missing)
		return
	}
	meta, _ := s.Params["user_metadata"].(map[string]any)
	if len(meta) > 10 {
		a.complain(s, "user_metadata has more than ten members")
	}
	for k, v := range meta {
		if text, ok := v.(string); !ok || len(text) > 500 || len(k) > 100 {
			a.complain(s, "user_metadata %q is no text of up to 500 characters", k)
		}
	}
	_, known := a.client(s.Text("client_id"))
	if !known || s.Text("connection") != a.o.Connection {
		a.complain(s, "client_id %q, connection %q", s.Text("client_id"), s.Text("connection"))
		signupError(w, "invalid_signup", "BadRequestError", "Invalid sign up")
		return
	}
	email, password := s.Text("email"), s.Text("password")
	if len(password) < 8 {
		reply(w, http.StatusBadRequest, map[string]any{"name": "PasswordStrengthError", "message": "Password is too weak", "code": "invalid_password",
			"description": map[string]any{"rules": []map[string]any{{"message": "At least %d characters in length", "format": []int{8}, "code": "lengthAtLeast", "verified": false}}, "verified": false},
			"policy":      "* At least 8 characters in length", "statusCode": 400})
		return
	}
	if _, _, exists := a.Person(email); exists {
		signupError(w, "user_exists", "BadRequestError", "The user already exists.")
		return
	}
	id := a.Add(Person{Email: email, Username: s.Text("username"), Password: password, Name: s.Text("name"), UserMetadata: meta})
	out := map[string]any{"_id": strings.TrimPrefix(id, "auth0|"), "email": email, "email_verified": false}
	for _, k := range []string{"username", "given_name", "family_name", "name", "nickname", "picture", "phone_number"} {
		if v := s.Text(k); v != "" {
			out[k] = v
		}
	}
	if meta != nil {
		out["user_metadata"] = meta
	}
	reply(w, http.StatusOK, out)
}

// signupError is an error as the /dbconnections endpoints write it.
func signupError(w http.ResponseWriter, code, name, reason string) {
	reply(w, http.StatusBadRequest, map[string]any{"name": name, "code": code, "description": reason, "statusCode": 400})
}

// changePassword answers everybody the same; only who has an account gets mail.
func (a *Auth0) changePassword(w http.ResponseWriter, _ *http.Request, s *Sent) {
	if missing := a.check(s, shape{"client_id email connection", "organization"}); missing != "" {
		signupError(w, "invalid_body", "BadRequestError", "Missing required parameter: "+missing)
		return
	}
	if _, known := a.client(s.Text("client_id")); !known || s.Text("connection") != a.o.Connection {
		a.complain(s, "client_id %q, connection %q", s.Text("client_id"), s.Text("connection"))
	}
	a.mu.Lock()
	if u := a.people[strings.ToLower(s.Text("email"))]; u != nil {
		a.mails = append(a.mails, Mail{u.Email, "reset"})
	}
	a.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("We've just sent you an email to reset your password."))
}
