package rbac

import "github.com/portreeve/portreeve/internal/store"

// Export implements tenant.Part: the roles that are stored of a tenant, and those
// of its end users.
func (s *Service) Export(tx *store.Tx, tenantID string) (name string, value any, err error) {
	var out struct {
		Roles    []Stored `json:"roles"`
		EndUsers EndUsers `json:"endUsers"`
	}
	roles, err := granting().roles(tx, tenantID)
	if err != nil {
		return "", nil, err
	}
	out.Roles = make([]Stored, len(roles))
	for i, r := range roles {
		out.Roles[i] = Stored{r.Name, r.Description, list(r.Permissions), some(r.Parent)}
	}
	out.EndUsers, err = readEndUsers(tx, tenantID)
	return "rbac", out, err
}

// Stored is a role as the request that makes it would write it.
type Stored struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
	ParentRole  *string  `json:"parentRole"`
}
