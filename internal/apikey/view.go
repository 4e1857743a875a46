package apikey

import (
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/store"
)

// View is a key as callers see it: never the key, never a hash.
type View struct {
	ID         string     `json:"id"`
	Prefix     string     `json:"prefix"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	Machine    bool       `json:"machine,omitempty"`
	Disabled   bool       `json:"disabled"`
	CreatedAt  time.Time  `json:"createdAt"`
	UpdatedAt  time.Time  `json:"updatedAt"`
	ExpiresAt  *time.Time `json:"expiresAt"` // null: never
	RevokedAt  *time.Time `json:"revokedAt,omitempty"`
	AllowedIPs []string   `json:"allowedIPs"`
	RateLimit  *Rate      `json:"rateLimit"`
	LastUsedAt *time.Time `json:"lastUsedAt"` // null: never
	Usage      int64      `json:"usage"`      // requests so far
	CreatedBy  MadeBy     `json:"createdBy"`
}

// Rate is a key's own limit.
type Rate struct {
	WindowMs int64 `json:"windowMs"`
	Max      int   `json:"max"`
}

// MadeBy says who made a key.
type MadeBy struct {
	Kind      string `json:"kind"` // host, user, service
	UserID    string `json:"userId,omitempty"`
	Provider  string `json:"provider,omitempty"`
	Subject   string `json:"subject,omitempty"`
	ParentKey string `json:"parentKeyId,omitempty"`
}

// ViewOf is a key as callers see it.
func ViewOf(k Key) View {
	return View{
		ID: k.ID, Prefix: k.Prefix, Name: k.Name, Scopes: each(k.Scopes), Machine: k.Machine, Disabled: k.Disabled,
		CreatedAt: k.CreatedAt, UpdatedAt: k.UpdatedAt, ExpiresAt: orNull(k.ExpiresAt), RevokedAt: orNull(k.RevokedAt),
		AllowedIPs: networksOf(k), RateLimit: rateOf(k.Limit), LastUsedAt: orNull(k.LastUsedAt), Usage: k.Uses,
		CreatedBy: MadeBy{
			Kind: k.Creator.Kind, UserID: k.Creator.UserID, Provider: k.Creator.Bound.Provider, Subject: k.Creator.Bound.Subject,
			ParentKey: k.Parent,
		},
	}
}

// tag is of all that is shown but how much the key was used, which changes all the
// time and by nobody's hand.
func (v View) tag() string {
	v.LastUsedAt, v.Usage = nil, 0
	return input.Tag(v)
}

// Created is the answer that tells a new key, this once.
type Created struct {
	ID         string     `json:"id"`
	Key        string     `json:"key"`
	Prefix     string     `json:"prefix"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"createdAt"`
	ExpiresAt  *time.Time `json:"expiresAt"`
	AllowedIPs []string   `json:"allowedIPs"`
	RateLimit  *Rate      `json:"rateLimit"`
}

func createdOf(m Made) Created {
	return Created{
		ID: m.ID, Key: m.Token.Reveal(), Prefix: m.Prefix, Name: m.Name, Scopes: each(m.Scopes), CreatedAt: m.CreatedAt,
		ExpiresAt: orNull(m.ExpiresAt), AllowedIPs: networksOf(m.Key), RateLimit: rateOf(m.Limit),
	}
}

// Rotated is the answer that tells a key's new secret, this once.
type Rotated struct {
	ID                string    `json:"id"`
	Key               string    `json:"key"`
	Prefix            string    `json:"prefix"`
	Name              string    `json:"name"`
	Scopes            []string  `json:"scopes"`
	PreviousExpiresAt time.Time `json:"previousExpiresAt"`
}

func rotatedOf(m Made) Rotated {
	return Rotated{ID: m.ID, Key: m.Token.Reveal(), Prefix: m.Prefix, Name: m.Name, Scopes: each(m.Scopes), PreviousExpiresAt: m.PreviousExpiresAt}
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func networksOf(k Key) []string {
	out := make([]string, len(k.AllowedIPs))
	for i, p := range k.AllowedIPs {
		out[i] = writeNetwork(p)
	}
	return out
}

func rateOf(l *limit.RuleConfig) *Rate {
	if l == nil {
		return nil
	}
	return &Rate{WindowMs: l.WindowMs, Max: l.Max}
}

// Export implements tenant.Part: what is stored about a tenant's keys and may
// leave the store, revoked ones included.
func (s *Service) Export(tx *store.Tx, tenantID string) (name string, value any, err error) {
	keys, err := store.List(tx, scanKey(tenantID), `SELECT `+keyColumns+` FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, id`, tenantID)
	views := make([]View, len(keys))
	for i, k := range keys {
		views[i] = ViewOf(k)
	}
	return "apiKeys", views, err
}
