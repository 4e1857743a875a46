package apikey

import (
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	// standardLife is how long a key lives whose maker does not say.
	standardLife = 365 * 24 * time.Hour
	// maxGrace is how long the secret before a rotation may live on.
	maxGrace = 30 * 24 * time.Hour
	// maxAbove is how many keys may stand above one that was made by a key.
	maxAbove = 4
)

// machineScope is the one thing that machine tokens may do.
const machineScope = "machine:ingest"

// Key is one API key or machine token, without its secrets.
type Key struct {
	Tenant     string
	ID         string
	Machine    bool
	Prefix     string // of the newest secret
	Name       string
	Scopes     []string
	Env        string // empty for tok_ tokens
	AllowedIPs []netip.Prefix
	Limit      *limit.RuleConfig
	ExpiresAt  time.Time // zero: never
	Disabled   bool
	RevokedAt  time.Time // zero: not
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Creator    Creator
	Parent     string    // id of the key that made it; empty: none did
	LastUsedAt time.Time // zero: never
	Uses       int64
}

// live reports whether the key opens anything at a moment.
func (k *Key) live(now time.Time) bool {
	return k.RevokedAt.IsZero() && !k.Disabled && !k.expired(now)
}

func (k *Key) expired(now time.Time) bool { return !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) }

// kind is how the audit trail calls it.
func (k *Key) kind() string {
	if k.Machine {
		return "machine"
	}
	return "apikey"
}

// Creator is who made a key, as far as what that one holds bounds the key.
type Creator struct {
	Kind   string // host, user, service
	UserID string // of the users row, where there was one
	Bound  tenant.Binding
	// Roles are those that its token claimed when it made or last changed the
	// key, where the provider is trusted for roles.
	Roles []string
}

// byHost reports whether whoever made the key holds everything in its tenant.
func (c Creator) byHost() bool { return c.Kind == kindHost }

const kindHost = "host"

// same reports whether two are the same one, whatever their tokens claim.
func (c Creator) same(o Creator) bool {
	if c.Kind != o.Kind || c.byHost() {
		return c.Kind == o.Kind
	}
	return !c.Bound.IsZero() && c.Bound == o.Bound || c.Bound.IsZero() && o.Bound.IsZero() && c.UserID != "" && c.UserID == o.UserID
}

// Made is a key with the token that is told this once.
type Made struct {
	Key
	Token secret.Value
	// Salt and Hash are how the token is kept: what the provisioning backend's
	// own table wants.
	Salt, Hash string
	// PreviousExpiresAt is when the secret before a rotation ends.
	PreviousExpiresAt time.Time
}

// What the rules refuse with. Compared by errors.Is.
var (
	ErrNoKey     = fault.New(fault.NotFound, "no_key", "API key not found")
	ErrNoMachine = fault.New(fault.NotFound, "no_machine_token", "Machine token not found")
	ErrIDTaken   = fault.New(fault.Conflict, "key_id_taken", "A key of this id exists or has existed")
	ErrTooDeep   = fault.New(fault.Forbidden, "key_depth", "Keys made by keys may stand at most four above one another")
	ErrKeyEnded  = fault.New(fault.Conflict, "key_expired", "The key is expired: give it a later expiresAt first")
	ErrHoldsLess = fault.New(fault.Forbidden, "key_holds_less", "The key would not hold all of its scopes")
	ErrMakesNone = fault.New(fault.Forbidden, "key_maker", "This credential makes no keys")
)

// What a presented credential is refused with. ErrUnknown says the same of a
// token that nobody has and of a wrong one.
var (
	ErrUnknown  = fault.New(fault.Unauthenticated, "unknown_key", "")
	ErrExpired  = fault.New(fault.Unauthenticated, "token_expired", "")
	ErrRevoked  = fault.New(fault.Unauthenticated, "key_revoked", "")
	ErrNowhere  = fault.New(fault.Forbidden, "address_not_allowed", "")
	ErrDisabled = fault.New(fault.Unauthenticated, "key_disabled", "")
)
