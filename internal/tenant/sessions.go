package tenant

import (
	"context"

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

// SessionKeeper is a SessionSource that has to do something around a reading which
// no transaction can wait for. The Directory's jobs ask it; nobody else does.
type SessionKeeper interface {
	// Keep comes before the reading: tokens that have expired are refreshed. An error
	// refuses.
	Keep(ctx context.Context, who *principal.Principal) error
	// Stand comes after it, with what is known by then. It returns a new value for
	// the cookie where the roles are others than before.
	Stand(ctx context.Context, who *principal.Principal, f SessionFacts, k *policy.Known) (renew string, err error)
}

// SessionFacts is what is stored about a session.
type SessionFacts struct {
	policy.SessionFacts
	// Stood is what SessionKeeper.Stand last stored of what the caller may do.
	Stood string
	// Renew is a new value for the cookie, where the one that was shown is to be
	// replaced; "" where it stays.
	Renew  string
	Refuse *fault.Error // ended, revoked, gone
}
