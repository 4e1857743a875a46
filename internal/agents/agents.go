package agents

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
)

// First is the collection that is always served.
const First = "agents"

// The roles on one thing. Each holds what those before it do.
const (
	Viewer = policy.RoleViewer
	Admin  = policy.RoleAdmin
	Owner  = policy.RoleOwner
)

// rank orders roles: 0 is none.
func rank(role string) int { return policy.ResourceRank(role) }

// roleOf is the role of a rank, "" for none.
func roleOf(n int) string {
	for _, role := range [...]string{Viewer, Admin, Owner} {
		if rank(role) == n {
			return role
		}
	}
	return ""
}

// Agent is one thing of a collection.
type Agent struct {
	Tenant, Collection string
	ID                 string // its name too
	Description        string
	Public             bool            // stands in the list for whoever may list at all
	Settings           json.RawMessage // any JSON
	Role               string          // the caller's on it, "" for none
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// Member is somebody with a role on a thing.
type Member struct {
	ID           string
	Email        string // as it was written
	ServiceToken string // client id of an Access service token
	Identity     Identity
	Role         string
	CreatedAt    time.Time
}

// Identity is who somebody is by a provider. The zero Identity is nobody.
type Identity struct {
	Provider string // the configured name
	Issuer   string // empty where the provider is configured without one
	Subject  string
}

// IsZero reports whether there is no identity.
func (i Identity) IsZero() bool { return i == Identity{} }

// What the rules refuse with. Compared by errors.Is.
var (
	ErrAnonymous    = fault.New(fault.Unauthenticated, "unauthenticated", "Authentication required")
	ErrDenied       = fault.New(fault.Forbidden, "missing_resource_role", "Access denied to this agent")
	ErrNoTenant     = fault.New(fault.Forbidden, "no_tenant", "Access denied to this agent")
	ErrNobody       = fault.New(fault.Forbidden, "owns_nothing", "Access denied to this agent")
	ErrTaken        = fault.New(fault.Conflict, "agent_taken", "The name is taken")
	ErrLastOwner    = fault.New(fault.Conflict, "last_owner", "The last owner cannot be removed")
	ErrMemberTaken  = fault.New(fault.Conflict, "member_taken", "Already a member")
	ErrNoMember     = fault.New(fault.NotFound, "no_member", "Member not found")
	ErrNoAgent      = fault.New(fault.NotFound, "no_agent", "Agent not found")
	ErrMemberIDGone = fault.New(fault.Conflict, "member_id_taken", "A member of this id exists or has existed")
)
