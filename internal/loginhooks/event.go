package loginhooks

import (
	"strings"

	"github.com/portreeve/portreeve/internal/login"
)

// The events as Auth0 documents them, as far as Portreeve knows what they say. What
// opens a login is not put in; actions takes out what would be one all the same.

// object is JSON as it is built.
type object = map[string]any

// protocols are event.transaction.protocol by flow.
func protocol(flow string) string {
	switch flow {
	case "refresh":
		return "oauth2-refresh-token"
	case "social":
		return "oidc-basic-profile"
	}
	return "oauth2-password"
}

// postLogin is the event of a login.
func (h *Hooks) postLogin(in *login.SignedIn, w whom, p person) object {
	methods := []object{}
	switch in.Flow {
	case "login", "signup":
		methods = append(methods, object{"name": "pwd", "timestamp": h.now()})
	case "social":
		methods = append(methods, object{"name": "federated", "timestamp": h.now()})
	}
	user := profile(w.claims)
	user["app_metadata"], user["user_metadata"] = p.App, p.User
	user["identities"], user["multifactor"] = []object{}, []string{}
	scopes := strings.Fields(in.Scope)
	return object{
		"authentication":  object{"methods": methods},
		"authorization":   object{"roles": []string{}},
		"client":          object{"client_id": in.ClientID, "metadata": object{}, "name": ""},
		"connection":      h.connection(in.Connection),
		"request":         h.request(in.Caller, "/oauth/token", h.body(in)),
		"resource_server": object{"identifier": in.Audience},
		"stats":           object{"logins_count": p.Logins},
		"tenant":          object{"id": h.c.Label},
		"transaction":     object{"protocol": protocol(in.Flow), "requested_scopes": scopes, "acr_values": []string{}, "locale": language(in.Caller), "ui_locales": []string{}},
		"user":            user,
	}
}

// body is what the token endpoint is sent, without what is secret.
func (h *Hooks) body(in *login.SignedIn) object {
	out := object{"client_id": in.ClientID, "grant_type": "refresh_token"}
	switch in.Flow {
	case "login", "signup":
		out["grant_type"], out["username"], out["audience"], out["scope"] = "password", in.Account, in.Audience, in.Scope
		if in.Connection != "" {
			out["grant_type"], out["realm"] = "http://auth0.com/oauth/grant-type/password-realm", in.Connection
		}
	case "social":
		out["grant_type"] = "authorization_code"
	}
	if in.Challenge != nil {
		out["challengeRequired"] = *in.Challenge
	}
	return out
}

// preRegistration is the event of a sign-up.
func (h *Hooks) preRegistration(in *login.Registering) object {
	user := object{"email": in.Email, "app_metadata": object{}, "user_metadata": object{}}
	for name, v := range in.Profile {
		user[name] = v
	}
	if in.UserMetadata != nil {
		user["user_metadata"] = in.UserMetadata
	}
	return h.registration(in.Caller, in.ClientID, in.Connection, user, h.request(in.Caller, "/dbconnections/signup", object{"client_id": in.ClientID, "connection": in.Connection, "email": in.Email}))
}

// firstSight is the same of somebody whom the provider knew before we did.
func (h *Hooks) firstSight(in *login.SignedIn, w whom) object {
	user := profile(w.claims)
	user["app_metadata"], user["user_metadata"] = object{}, object{}
	return h.registration(in.Caller, in.ClientID, in.Connection, user, h.request(in.Caller, "/oauth/token", h.body(in)))
}

func (h *Hooks) registration(c login.Caller, client, connection string, user, request object) object {
	return object{
		"client": object{"client_id": client, "metadata": object{}, "name": ""}, "connection": h.connection(connection), "request": request,
		"tenant": object{"id": h.c.Label}, "transaction": object{"locale": language(c), "ui_locales": []string{}, "acr_values": []string{}}, "user": user,
	}
}

func (h *Hooks) connection(name string) object {
	if name == "" {
		return object{"id": h.c.Provider, "name": h.c.Provider, "strategy": "oidc", "metadata": object{}}
	}
	return object{"id": name, "name": name, "strategy": "auth0", "metadata": object{}}
}

func (h *Hooks) request(c login.Caller, path string, body object) object {
	out := object{"body": body, "geoip": object{}, "hostname": c.Host, "method": "POST", "path": path, "query": object{}, "user_agent": short(c.Headers.Get("User-Agent"), 512)}
	if c.IP.IsValid() {
		out["ip"] = c.IP.Unmap().WithZone("").String()
	}
	if l := language(c); l != "" {
		out["language"] = l
	}
	return out
}

// told are claims of an ID token that event.user has under the same names.
var told = [...]string{"email", "email_verified", "family_name", "given_name", "locale", "name", "nickname", "phone_number", "phone_number_verified", "picture", "updated_at"}

func profile(claims map[string]any) object {
	out := object{"user_id": claims["sub"]}
	for _, name := range told {
		if v, there := claims[name]; there {
			out[name] = v
		}
	}
	if v, there := claims["preferred_username"]; there {
		out["username"] = v
	}
	return out
}

// language is the first that the client asks for.
func language(c login.Caller) string {
	l, _, _ := strings.Cut(c.Headers.Get("Accept-Language"), ",")
	l, _, _ = strings.Cut(l, ";")
	return short(strings.TrimSpace(l), 35)
}

func short(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

func (h *Hooks) now() string { return h.d.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
