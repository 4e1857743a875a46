package escrow

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
)

// Key is a tenant's public key.
type Key struct {
	Kid         string
	N           int // in the order in which they came
	Public      json.RawMessage
	Signer      string          // thumbprint; "": none
	Signing     json.RawMessage // nil: none
	Signature   string
	Succession  string // authorization by the signing key before
	Predecessor string
	Imported    bool
	CreatedAt   time.Time
}

// Wrapping is a private key as a browser wrapped it.
type Wrapping struct {
	Version      int
	Format       string // envelope.FormatWrapping or FormatImported
	Wrapped      string
	CreatedAt    time.Time
	SupersededAt time.Time // zero: the current one
}

// Machine is one of a tenant's fleet.
type Machine struct {
	ID           string
	Serial       string
	Hostname     string
	Group        string // as last said
	LastHostname string // as last said, where it is another
	// Names are the hostnames that it has had besides the first. They are read where
	// a sealed secret is handed out, which names its machine by one of them.
	Names     []string
	LastRun   string
	CreatedAt time.Time
	SeenAt    time.Time
}

// The states of a run.
const (
	Running   = "running"
	Succeeded = "succeeded"
	Failed    = "failed"
)

// Phase is a part of a run.
type Phase struct {
	Name    string         `json:"name"`
	Status  string         `json:"status"`
	Message string         `json:"message,omitempty"`
	Extra   map[string]any `json:"extra,omitempty"`
}

// Run is what a machine did, as it last said.
type Run struct {
	Machine    string
	ID         string
	Status     string
	StartedAt  time.Time
	FinishedAt time.Time
	Phases     json.RawMessage
	Extra      json.RawMessage
	Reports    int
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Secret is what a machine handed over, sealed.
type Secret struct {
	ID, Machine string
	Kind, Label string
	Version     int
	Kid, Format string
	Ciphertext  string
	digest      string
	CreatedAt   time.Time
}

// Bounds of what one tenant may keep.
const (
	mostMachines   = 200_000
	mostNames      = 200    // of a machine
	mostRuns       = 20_000 // of a machine
	mostReports    = 100    // of a run
	mostSecrets    = 10_000 // of a machine
	mostKeys       = 200
	mostRecoveries = 20 // of a key
	mostConfigs    = 1_000
	mostVersions   = 10_000 // of a configuration
	mostChallenges = 8      // of a user at a time
)

// What the rules refuse with. Compared by errors.Is.
var (
	ErrNoKey         = fault.New(fault.Conflict, "no_tenant_key", "No tenant key yet")
	ErrKeyThere      = fault.New(fault.Conflict, "tenant_key_exists", "The tenant has a key: replacing it takes replaces and authorization")
	ErrKeyMoved      = fault.New(fault.Conflict, "tenant_key_moved", "replaces does not name the current key")
	ErrKeyKnown      = fault.New(fault.Conflict, "tenant_key_known", "The tenant has or had this key already")
	ErrChallenge     = fault.New(fault.BadRequest, "bad_challenge", "The challenge is not known, over, used, or for another key")
	ErrProof         = fault.New(fault.BadRequest, "bad_proof", "The proof is wrong: it must be what the challenge's ciphertext opens to. Ask for a new challenge")
	ErrCurrent       = fault.New(fault.Conflict, "current_wrapping", "The current wrapping cannot be removed: nobody could open the key")
	ErrNotFound      = fault.New(fault.NotFound, "not_found", "")
	ErrNoUser        = fault.New(fault.Forbidden, "no_users_row", "")
	ErrRole          = fault.New(fault.Forbidden, "missing_permission", "")
	ErrTenantOther   = fault.New(fault.Forbidden, "other_tenant", "Escrow is the caller's own tenant's")
	ErrCrossSite     = fault.New(fault.Forbidden, "cross_site", "Cross-site request refused")
	ErrUnwraps       = fault.New(fault.TooManyRequests, "too_many_unwraps", "Wrapped keys are handed out ten times an hour")
	ErrChallenges    = fault.New(fault.TooManyRequests, "too_many_challenges", "Too many challenges are open; they end after five minutes")
	ErrFull          = fault.New(fault.Conflict, "too_many", "There is no room for more of these")
	ErrNameTaken     = fault.New(fault.Conflict, "config_taken", "A configuration of this name exists: POST to it makes a new version")
	ErrMatchTaken    = fault.New(fault.Conflict, "config_match_taken", "Another configuration is for the same machines")
	ErrVersionMoved  = fault.New(fault.Conflict, "config_moved", "The configuration has a newer version than the one that this one was made from")
	ErrConfigTooLong = fault.New(fault.TooLarge, "config_too_large", "A configuration has at most 256 KiB")
	ErrExtraTooLong  = fault.New(fault.TooLarge, "report_too_large", "Further fields of a report have at most 64 KiB")
)
