package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Person is an account of the tenant's database connection.
type Person struct {
	Email, Username, Password, Name string
	Verified, Blocked               bool
	// MFA makes a second factor required, as `auth_require_mfa` in app metadata
	// does by the tenant's post-login Action.
	MFA bool
	// Phone is an SMS authenticator that is enrolled already.
	Phone        string
	UserMetadata map[string]any
}

// account is a person as the tenant keeps it.
type account struct {
	Person
	id             string
	wrong          int // wrong passwords in a row
	authenticators []authenticator
	recovery       string
}

// tooMany wrong passwords in a row block an account (brute-force protection;
// Auth0's default).
const tooMany = 10

// Add puts a person into the connection and returns the user id, auth0|….
func (a *Auth0) Add(p Person) string {
	sum := sha256.Sum256([]byte(strings.ToLower(p.Email)))
	u := &account{Person: p, id: "auth0|" + hex.EncodeToString(sum[:12])}
	if p.Phone != "" {
		u.authenticators = append(u.authenticators, authenticator{ID: "sms|dev_" + unique()[:16], Type: "oob", Active: true, Channel: "sms", Name: masked(p.Phone), phone: p.Phone})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.people[strings.ToLower(p.Email)] = u
	return u.id
}

// Person is the account with an address, as it is now.
func (a *Auth0) Person(email string) (p Person, id string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := a.people[strings.ToLower(email)]
	if u == nil {
		return Person{}, "", false
	}
	return u.Person, u.id, true
}

// find looks a person up by e-mail or by user name. The lock is held.
func (a *Auth0) find(name string) *account {
	if u := a.people[strings.ToLower(name)]; u != nil {
		return u
	}
	for _, u := range a.people {
		if u.Username != "" && strings.EqualFold(u.Username, name) {
			return u
		}
	}
	return nil
}

func (a *Auth0) byID(id string) *account {
	for _, u := range a.people {
		if u.id == id {
			return u
		}
	}
	return nil
}

// profile is the claims about a person that scope asks for (OIDC Core section 5.4).
func (u *account) profile(scopes []string) map[string]any {
	out := map[string]any{"sub": u.id}
	if slices.Contains(scopes, "email") {
		out["email"], out["email_verified"] = u.Email, u.Verified
	}
	if slices.Contains(scopes, "profile") {
		name := u.Name
		if name == "" {
			name = u.Email
		}
		nick, _, _ := strings.Cut(u.Email, "@")
		out["name"], out["nickname"], out["picture"] = name, nick, "https://s.gravatar.com/avatar/0"
		out["updated_at"] = "2026-01-02T03:04:05.678Z"
	}
	return out
}

// masked is a telephone number as Auth0 shows it: the last four digits.
func masked(phone string) string {
	if len(phone) < 4 {
		return phone
	}
	return strings.Repeat("X", len(phone)-4) + phone[len(phone)-4:]
}
