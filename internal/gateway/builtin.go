package gateway

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// JSON renders a value as one of Portreeve's own answers, which no cache keeps.
func JSON(status int, v any) request.Reply {
	raw, err := json.Marshal(v)
	if err != nil {
		return request.Reply{Status: 500}
	}
	return request.Reply{Status: status, Body: append(raw, '\n'), Header: request.Header{
		{Name: "Content-Type", Value: "application/json; charset=utf-8"},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}}
}

func health(x *Exchange) request.Reply {
	return JSON(200, struct {
		OK      bool   `json:"ok"`
		Version string `json:"version"`
	}{true, x.Snap.Version})
}

// who is the answer of /.portreeve/whoami.
type who struct {
	Authenticated bool            `json:"authenticated"`
	Kind          string          `json:"kind"`
	Provider      string          `json:"provider,omitempty"`
	Subject       string          `json:"subject,omitempty"`
	Email         string          `json:"email,omitempty"`
	EmailVerified bool            `json:"emailVerified"`
	Tenant        string          `json:"tenant,omitempty"`
	Roles         []string        `json:"roles"`
	Scopes        []string        `json:"scopes"`
	Permissions   []string        `json:"permissions"`
	AuthTime      *time.Time      `json:"authTime,omitempty"`
	ExpiresAt     *time.Time      `json:"expiresAt,omitempty"`
	Claims        json.RawMessage `json:"claims,omitempty"`
}

func whoami(x *Exchange) request.Reply {
	p := x.Stand.Who
	w := who{
		Authenticated: p.Authenticated(), Kind: string(p.Kind), Provider: p.Provider, Subject: p.ID(),
		Email: p.Email, EmailVerified: p.EmailVerified, Tenant: x.Stand.Tenant,
		Roles: list(x.Stand.Roles()), Scopes: list(x.Stand.Scopes()), Permissions: list(x.Stand.Permissions()), Claims: p.Raw,
	}
	w.AuthTime, w.ExpiresAt = moment(p.AuthTime), moment(p.Expires)
	if x.Known != nil && w.ExpiresAt == nil {
		w.ExpiresAt = moment(x.Known.Expires)
	}
	return JSON(200, w)
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
