package apikey

import (
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// holds refuses scopes that the key would not hold when it is used, though its
// maker does now: what does not pass to keys (the default role), or counts in
// another tenant. A key that opens nothing is not handed out. What a machine token
// holds does not hang on its maker.
func (s *Service) holds(tx *store.Tx, by By, k Key, gained []string) error {
	if len(gained) == 0 || k.Machine || k.Creator.byHost() || k.Parent != "" || s.d.Rights == nil {
		return nil
	}
	facts := tenant.KeyFacts{
		Grant:         &policy.KeyGrant{ID: k.ID, Scopes: k.Scopes, CreatorClaimed: slices.Clone(k.Creator.Roles)},
		CreatorUserID: k.Creator.UserID, Creator: k.Creator.Bound,
	}
	if _, err := facts.Maker(tx, k.Tenant); err != nil {
		return err
	}
	lacks, err := s.d.Rights.Lacks(tx, k.Tenant, facts.Grant)
	if err != nil {
		return err
	}
	f := *ErrHoldsLess
	for _, scope := range lacks {
		if slices.Contains(gained, scope) && len(f.Details) < mostLacking {
			f.Details = append(f.Details, fault.Detail{Field: "scopes", Issue: "the key would not hold " + scope + ": " + s.remedy(by, k)})
		}
	}
	if len(f.Details) == 0 {
		return nil
	}
	return &f
}

// mostLacking bounds how many scopes an answer names.
const mostLacking = 8

// remedy says what would give the key a scope that it would not hold.
func (s *Service) remedy(by By, k Key) string {
	var maker Creator
	if by.Standing != nil && by.Standing.Who.CredentialID == "" {
		maker, _, _ = creatorOf(by.Standing, k.Tenant)
	}
	switch {
	case !maker.same(k.Creator):
		return "whoever made it does not hold that"
	case by.Standing.Tenant != k.Tenant:
		return "what its maker holds in another tenant passes to no key: make it on the host"
	}
	return "the default role passes to no key: assign the role"
}
