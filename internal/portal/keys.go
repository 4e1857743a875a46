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
	}
}

// apiKey is a key as /tenant/api-keys shows it.
type apiKey struct {
	ID, Prefix, Name   string
	Scopes, AllowedIPs []string
	Disabled           bool
	Usage              int64
	CreatedAt          time.Time
	ExpiresAt          *time.Time
	RevokedAt          *time.Time
	LastUsedAt         *time.Time
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

func listKeys(v *visit) (request.Reply, error) {
	var list struct {
		Data       []apiKey
		Pagination pagination
	}
	if err := v.ask("GET", v.target("/tenant/api-keys", "revoked"), nil, &list); err != nil {
		return request.Reply{}, err
	}
	return v.show("keys", "API keys", struct {
		Keys    []apiKey
		Pager   pager
		Make    lock
		Revoked string
	}{list.Data, v.pager(list.Pagination, len(list.Data), "revoked"), v.may("POST", "/tenant/api-keys"), v.query("revoked")})
}

// keyForm is what the page of a new key is made of.
type keyForm struct {
	Make lock
	Made *madeKey
}

// madeKey is a key that is shown this once.
type madeKey struct{ ID, Key, Prefix, Name string }

func newKey(v *visit) (request.Reply, error) {
	return v.show("key-new", "Make an API key", keyForm{Make: v.may("POST", "/tenant/api-keys")})
}

func createKey(v *visit, f *form) (request.Reply, error) {
	in := map[string]any{"name": f.get("name"), "scopes": f.lines("scopes"), "allowedIPs": f.lines("allowedIPs")}
	switch day := f.get("expires"); day {
	case "":
		in["expiresAt"] = nil
	default:
		at, err := time.ParseInLocation(time.DateOnly, day, v.zone.Location)
		if err != nil {
			f.wrong("expires", "must be a day, like 2027-01-31")
			return v.again(f, "key-new", "Make an API key", keyForm{Make: v.may("POST", "/tenant/api-keys")})
		}
		in["expiresAt"] = at
	}
	var made madeKey
	if err := v.ask("POST", "/tenant/api-keys", in, &made); err != nil {
		if f.problems(err, "expiresAt", "expires") {
			return v.again(f, "key-new", "Make an API key", keyForm{Make: v.may("POST", "/tenant/api-keys")})
		}
		return request.Reply{}, err
	}
	return v.show("key-new", "Your new API key", keyForm{Made: &made})
}
