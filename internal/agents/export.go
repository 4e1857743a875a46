package agents

import (
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// exported is a thing with its members, as an export of its tenant has it.
type exported struct {
	Collection string `json:"collection"`
	View
	Admins []MemberView `json:"admins"`
}

// Export implements tenant.Part.
func (s *Service) Export(tx *store.Tx, tenantID string) (name string, value any, err error) {
	collections, err := store.List(tx, func(r store.Row) (c string, err error) { return c, r.Scan(&c) },
		`SELECT DISTINCT collection FROM agents WHERE tenant_id = $1 ORDER BY collection`, tenantID)
	if err != nil {
		return "", nil, err
	}
	out := []exported{}
	for _, collection := range collections {
		ids, err := store.List(tx, func(r store.Row) (id string, err error) { return id, r.Scan(&id) },
			`SELECT id FROM agents WHERE tenant_id = $1 AND collection = $2 ORDER BY id`, tenantID, collection)
		if err != nil {
			return "", nil, err
		}
		for _, id := range ids {
			a, err := selectAgent(tx, tenantID, collection, id, caller{})
			if err != nil {
				return "", nil, err
			}
			members, _, err := listMembers(tx, a, Listing{Page: input.Page{Limit: maxMembers}, Sort: "createdAt"})
			if err != nil {
				return "", nil, err
			}
			e := exported{Collection: collection, View: ViewOf(a), Admins: []MemberView{}}
			e.Settings = a.Settings
			for _, m := range members {
				e.Admins = append(e.Admins, MemberViewOf(m))
			}
			out = append(out, e)
		}
	}
	return "agents", out, nil
}
