package tenant

import (
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// SessionSource knows the sessions; the feature session is one. What changes
// about a session is noted under no tenant: change.Note(tx, "", change.Session, id).
type SessionSource interface {
	// Session reads what is stored now about the session whose principal it is (by
	// its SessionID and SecretDigest). An error is a failure to read; a session that
	// has ended or is gone is a Refuse.
	Session(tx *store.Tx, who *principal.Principal) (SessionFacts, error)
}

// SessionFacts is what is stored about a session.
type SessionFacts struct {
	policy.SessionFacts
	// Renew is a new value for the cookie, where the one that was shown is to be
	// replaced; "" where it stays.
	Renew  string
	Refuse *fault.Error // ended, revoked, gone
}
