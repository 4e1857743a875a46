package portal

import (
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) keys() []gateway.SurfaceRoute {
	return append([]gateway.SurfaceRoute{
		s.get("/keys", "API keys", listKeys),
		s.get("/keys/new", "make an API key", newKey),
		s.post("/keys/new", "make an API key", createKey),
		s.get("/keys/:id", "an API key", showKey),
		s.post("/keys/:id", "disable or enable an API key", switchKey),
		s.get("/keys/:id/edit", "change an API key", editKey),
		s.post("/keys/:id/edit", "change an API key", changeKey),
	}, s.keyEnds(apiKeys())...)
}

// keyKind is what API keys and machine tokens differ in: the same thing is stored
// for both, and shown by operations of their own.
type keyKind struct {
	List, ListName string // where the page of all stands, and what it is called
	one, api       string // what one is called, and where the operations stand
}

func apiKeys() keyKind { return keyKind{"/keys", "API keys", "an API key", "/tenant/api-keys"} }

func machineTokens() keyKind {
	return keyKind{"/machine-tokens", "Machine tokens", "a machine token", "/tenant/machine-tokens"}
}

// page is where the page of one stands, at where its operations do.
func (kind keyKind) page(id string) string { return kind.List + "/" + segment(id) }
func (kind keyKind) at(id string) string   { return kind.api + "/" + segment(id) }

// read is the one that the page's address names.
func (kind keyKind) read(v *visit) (k apiKey, err error) {
	err = v.read(kind.at(v.param("id")), &k.tagged, &k)
	return k, err
}

// apiKey is a key as /tenant/api-keys shows it.
type apiKey struct {
	tagged
	ID, Prefix, Name   string
	Scopes, AllowedIPs []string
	Machine, Disabled  bool
	Usage              int64
	RateLimit          *struct {
		WindowMs int64
		Max      int
	}
	CreatedBy  struct{ Kind, UserID, Subject, ParentKeyID string }
	CreatedAt  time.Time
	UpdatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
}

// State is what a badge says of it.
func (k apiKey) State(f *frame) badgePart {
	switch {
	case k.RevokedAt != nil:
		return badgePart{"stop", "revoked"}
	case k.ExpiresAt != nil && !f.now.Before(*k.ExpiresAt):
		return badgePart{"stop", "expired"}
	case k.Disabled:
		return badgePart{"off", "disabled"}
	}
	return badgePart{"ok", "active"}
}

// Limit is its own limit in words; "" where it has none.
func (k apiKey) Limit() string {
	if k.RateLimit == nil {
		return ""
	}
	return count(k.RateLimit.Max, "request") + " in " + (time.Duration(k.RateLimit.WindowMs) * time.Millisecond).String()
}

// keyList is a page of a list of keys, or of machine tokens.
type keyList struct {
	Keys          []apiKey
	Pager         pager
	Make          lock
	Search, State string
}

func listKeys(v *visit) (request.Reply, error) {
	out, err := v.keyList(apiKeys().api, "&machine=false")
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("keys", "API keys", out)
}

func (v *visit) keyList(path, more string) (keyList, error) {
	var list listOf[apiKey]
	err := v.ask("GET", v.target(path, "search", "state")+more, nil, &list)
	return keyList{list.Data, v.pager(list.Pagination, len(list.Data), "search", "state"), v.may("POST", path), v.query("search"), v.query("state")}, err
}
