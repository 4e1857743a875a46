package tenant

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/portreeve/portreeve/internal/principal"
)

// An identity's name in the changes is a digest: callers without a tenant are
// found by e-mail or binding over all tenants, and who they are has no place in
// a table of changes.

func emailIdentity(folded string) string     { return digestOf("email", folded) }
func serviceIdentity(clientID string) string { return digestOf("service", clientID) }
func bindingIdentity(b Binding) string       { return digestOf("bound", b.Provider, b.Issuer, b.Subject) }

func digestOf(parts ...string) string {
	sum := sha256.Sum256(packed(parts...))
	return hex.EncodeToString(sum[:16])
}

// packed joins texts so that no two lists of them come to the same.
func packed(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return b
}

// identitiesOf lists by what a row can be found.
func identitiesOf(u User) []string {
	var out []string
	if folded, _, ok := principal.FoldEmail(u.Email); ok {
		out = append(out, emailIdentity(folded))
	}
	if u.ServiceToken != "" {
		out = append(out, serviceIdentity(u.ServiceToken))
	}
	if !u.Bound.IsZero() {
		out = append(out, bindingIdentity(u.Bound))
	}
	return out
}

// maxIdentity bounds issuers and subjects that rows bind to: an index holds no
// longer ones on every engine.
const maxIdentity = 512

// bindingOf is the identity that a caller's row binds to; ok is false where the
// credential names none that can be told from others.
func bindingOf(p *principal.Principal) (b Binding, ok bool) {
	if p.Kind != principal.User || p.Provider == "" || !storable(p.Subject) || p.Subject == "" {
		return Binding{}, false
	}
	b = Binding{Provider: p.Provider, Issuer: p.Authority(), Subject: p.Subject}
	return b, storable(b.Issuer)
}

// storable reports whether both engines can hold and index a text.
func storable(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return len(s) <= maxIdentity
}
