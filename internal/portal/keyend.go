package portal

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// keyEnds are the pages by which a key or a machine token ends, or is exchanged.
func (s *site) keyEnds(kind keyKind) []gateway.SurfaceRoute {
	rotate, revoke := kind.List+"/:id/rotate", kind.List+"/:id/revoke"
	return []gateway.SurfaceRoute{
		s.get(rotate, "rotate "+kind.one, kind.askRotate),
		s.post(rotate, "rotate "+kind.one, kind.rotate),
		s.get(revoke, "revoke "+kind.one, kind.askRevoke),
		s.post(revoke, "revoke "+kind.one, kind.revoke),
	}
}

// endPage asks before one ends, or is exchanged.
type endPage struct {
	keyKind
	Key     apiKey
	At      string // where its page stands
	Allowed lock
	Grace   []graceChoice
}

// end is the page of an operation upon a key: its last segment, "" for the key's own.
func (kind keyKind) end(v *visit, k apiKey, method, operation string) endPage {
	return endPage{kind, k, kind.page(k.ID), v.may(method, kind.at(k.ID)+operation), graces()}
}

// graceChoice is how long the secret before a rotation goes on.
type graceChoice struct {
	Seconds int
	Label   string
}

func graces() []graceChoice {
	return []graceChoice{{3600, "for one more hour"}, {86400, "for one more day"}, {7 * 86400, "for seven more days"}, {30 * 86400, "for thirty more days"}, {0, "not at all: it ends now"}}
}

func (kind keyKind) askRotate(v *visit) (request.Reply, error) {
	k, err := kind.read(v)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-rotate", "Rotate "+k.Name, kind.end(v, k, "POST", "/rotate"))
}

func (kind keyKind) rotate(v *visit, f *form) (request.Reply, error) {
	k, err := kind.read(v)
	if err != nil {
		return request.Reply{}, err
	}
	var made madeKey
	if err := v.ask("POST", kind.at(k.ID)+"/rotate", f.grace(), &made); err != nil {
		if f.problems(err, "gracePeriodSeconds", "grace", "scopes", "grace", "permissions", "grace") {
			return v.again(f, "key-rotate", "Rotate "+k.Name, kind.end(v, k, "POST", "/rotate"))
		}
		return request.Reply{}, err
	}
	return kind.made(v, "The new secret of "+k.Name, made)
}

// grace is the body of a rotation. What is no number is the operation's to refuse.
func (f *form) grace() map[string]any {
	if n, err := strconv.Atoi(f.get("grace")); err == nil {
		return map[string]any{"gracePeriodSeconds": n}
	}
	return map[string]any{"gracePeriodSeconds": f.get("grace")}
}

func (kind keyKind) askRevoke(v *visit) (request.Reply, error) {
	k, err := kind.read(v)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-revoke", "Revoke "+k.Name, kind.end(v, k, "DELETE", ""))
}

func (kind keyKind) revoke(v *visit, f *form) (request.Reply, error) {
	if err := v.ask("DELETE", kind.at(v.param("id")), nil, nil); err != nil {
		if k, errKey := kind.read(v); errKey == nil && f.problems(err) {
			return v.again(f, "key-revoke", "Revoke "+k.Name, kind.end(v, k, "DELETE", ""))
		}
		return request.Reply{}, err
	}
	return v.done(kind.List, "revoked")
}

// madeKey is a key, or a machine token, as the operation that makes it says it.
type madeKey struct {
	ID, Prefix, Name  string
	Key, Token        string // one of them, this once
	PreviousExpiresAt *time.Time
}

// made is the page that shows it, with a line that says whether a token works.
func (kind keyKind) made(v *visit, title string, made madeKey) (request.Reply, error) {
	page := struct {
		keyKind
		Made                   madeKey
		At, Secret, Try, First string
	}{kind, made, kind.page(made.ID), cmp.Or(made.Key, made.Token), "", ""}
	if made.Token != "" {
		page.Try = `curl -H "Authorization: Bearer ` + made.Token + `" ` + v.c.View.Origin() + "/.portreeve/whoami"
		if made.PreviousExpiresAt == nil && !v.may("POST", "/v1/report").Missing {
			page.First = strings.ReplaceAll(v.firstReport(), "$TOKEN", made.Token)
		}
	}
	return v.show("key-made", title, page)
}
