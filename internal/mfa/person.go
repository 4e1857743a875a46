package mfa

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/tenant"
)

// ErrNotAPerson is the refusal of callers that have no second factors.
var (
	ErrNotAPerson = fault.New(fault.Forbidden, "not_a_person", "Second factors are for people: keys, machines and services have none")
	ErrNoTenant   = fault.New(fault.Forbidden, "no_tenant", "The caller has no tenant")
)

// Person is whose factor it is, and by which credential the person calls.
type Person struct {
	Tenant string
	ID     string // of the person within the tenant
	UserID string // of the users row; "" where there is none
	Site   string // that is called
	Bound  string // the session, else the credential
	Who    *principal.Principal
}

// PersonOf is the person behind a caller of a tenant.
func PersonOf(who *principal.Principal, of, userID, site string) (Person, error) {
	id, ok := idOf(who)
	switch {
	case !ok:
		return Person{}, ErrNotAPerson
	case of == "":
		return Person{}, ErrNoTenant
	}
	return Person{Tenant: of, ID: id, UserID: userID, Site: site, Bound: boundTo(who), Who: who}, nil
}

// idOf is what a caller is known by, however it calls: its provider and what
// that calls it, as a users row is bound. A session is its provider's.
func idOf(p *principal.Principal) (id string, ok bool) {
	if p == nil || p.Kind != principal.User || p.ProviderKind == "apiKey" || p.ProviderKind == "machine" || p.Provider == "" || p.Subject == "" {
		return "", false
	}
	return idOfBinding(tenant.Binding{Provider: p.Provider, Issuer: p.Authority(), Subject: p.Subject}), true
}

// idOfBinding is the same for the identity of a users row.
func idOfBinding(b tenant.Binding) string {
	return digest("person", b.Provider, b.Issuer, b.Subject)[:32]
}

// idOfLink is the same for whoever a one-time link signed in as a users row: the
// link binds the row to nothing, its id is the subject.
func idOfLink(userID string) string {
	return idOfBinding(tenant.Binding{Provider: identity.KindLink, Issuer: identity.LinkIssuer, Subject: userID})
}

// boundTo names the session that a caller came by, else the very credential.
func boundTo(p *principal.Principal) string {
	if isSession(p) && p.SessionID != "" {
		return "session:" + p.SessionID
	}
	return "credential:" + digest(p.Provider, p.Issuer, p.Subject, strconv.FormatInt(p.IssuedAt.UnixNano(), 10), strconv.FormatInt(p.Expires.UnixNano(), 10), string(p.Raw))
}

func isSession(p *principal.Principal) bool { return p.ProviderKind == "session" }

// digest is SHA-256 over texts, such that no two lists of them come to the same.
func digest(parts ...string) string {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
