package portal

import (
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) keys() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/keys", "API keys", listKeys),
		s.get("/keys/new", "make an API key", newKey),
		s.post("/keys/new", "make an API key", createKey),
		s.get("/keys/:id", "an API key", showKey),
		s.post("/keys/:id", "disable or enable an API key", switchKey),
		s.get("/keys/:id/edit", "change an API key", editKey),
		s.post("/keys/:id/edit", "change an API key", changeKey),
		s.get("/keys/:id/rotate", "rotate an API key", askRotateKey),
		s.post("/keys/:id/rotate", "rotate an API key", rotateKey),
		s.get("/keys/:id/revoke", "revoke an API key", askRevokeKey),
		s.post("/keys/:id/revoke", "revoke an API key", revokeKey),
	}
}

// apiKey is a key as /tenant/api-keys shows it.
type apiKey struct {
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
	out, err := v.keyList("/tenant/api-keys", "&machine=false")
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("keys", "API keys", out)
}

func (v *visit) keyList(path, more string) (keyList, error) {
	var list struct {
		Data       []apiKey
		Pagination pagination
	}
	err := v.ask("GET", v.target(path, "search", "state")+more, nil, &list)
	return keyList{list.Data, v.pager(list.Pagination, len(list.Data), "search", "state"), v.may("POST", path), v.query("search"), v.query("state")}, err
}

// keyForm is what the page of a key that is made or changed is made of.
type keyForm struct {
	Allowed lock
	Key     *apiKey // the one that is changed; nil: a new one
	Scopes  choices
	IPs     string
	Expires string // a day
	Made    *madeKey
}

// madeKey is a key that is shown this once.
type madeKey struct {
	ID, Key, Prefix, Name string
	PreviousExpiresAt     *time.Time

	At, List, ListName string // where its page stands, the list's, and what that is called
	Try                string // a line for a shell that says whether it works; "" for none
}

const (
	everyScope      = "*"
	everyScopeMeans = "everything but keys, users, roles, secrets, escrow and audit"
)

// keyForm fills a form for a key: with what was sent, else with what the key has.
func (v *visit) keyForm(f *form, k *apiKey) keyForm {
	out := keyForm{Key: k, Allowed: v.may("POST", "/tenant/api-keys"), Expires: v.c.Now.In(v.zone.Location).AddDate(1, 0, 0).Format(time.DateOnly)}
	var chosen []string
	if k != nil {
		out.Allowed, chosen, out.Expires = v.may("PATCH", "/tenant/api-keys/"+segment(k.ID)), k.Scopes, v.day(k.ExpiresAt)
		for _, ip := range k.AllowedIPs {
			out.IPs += ip + "\n"
		}
	}
	if f != nil {
		chosen = f.chosen("scopes", "moreScopes")
	}
	out.Scopes = v.choices(chosen, everyScope, everyScopeMeans)
	if f != nil { // what was written stands where it was written
		f.values.Set("moreScopes", out.Scopes.More)
	}
	return out
}

// day is a moment's day as the reader's calendar has it; "" for never.
func (v *visit) day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.In(v.zone.Location).Format(time.DateOnly)
}

// lastDay reads the day on whose end something ends; nil for none.
func (v *visit) lastDay(f *form, field string) (at *time.Time, ok bool) {
	text := f.get(field)
	if text == "" {
		return nil, true
	}
	day, err := time.ParseInLocation(time.DateOnly, text, v.zone.Location)
	if err != nil {
		f.wrong(field, "must be a day, like 2027-01-31")
		return nil, false
	}
	end := day.AddDate(0, 0, 1).Add(-time.Second).UTC()
	return &end, true
}

func newKey(v *visit) (request.Reply, error) {
	return v.show("key-form", "Make an API key", v.keyForm(nil, nil))
}

func createKey(v *visit, f *form) (request.Reply, error) {
	again := func() (request.Reply, error) { return v.again(f, "key-form", "Make an API key", v.keyForm(f, nil)) }
	ends, ok := v.lastDay(f, "expires")
	if !ok {
		return again()
	}
	scopes := f.chosen("scopes", "moreScopes")
	in := map[string]any{"name": f.get("name"), "scopes": scopes, "allowedIPs": f.lines("allowedIPs"), "expiresAt": ends}
	var made madeKey
	if err := v.ask("POST", "/tenant/api-keys", in, &made); err != nil {
		if f.namely(err, "scopes", scopes).namely(err, "allowedIPs", f.lines("allowedIPs")).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	made.At, made.List, made.ListName = "/keys/"+segment(made.ID), "/keys", "API keys"
	return v.show("key-made", "Your new API key", made)
}
