package policy

import "slices"

// guarded are the resources that no "*" in a key's scopes covers: a key has them
// only by name, so that one made for everything can make no further keys and
// reads no secrets.
var guarded = [...]string{"apikeys", "users", "rbac", "secrets", "escrow", "audit"}

// power is what a key holds: its scopes, as far as whoever made it holds them
// now. It is made when first needed beside a book and a tenant's roles.
type power struct {
	root   *Book
	defs   *StoredRoles
	scopes *set // as they are written
	set    *set // what of them counts
}

// in works out what the key holds. Two callers at once may both do so: the
// results are alike.
func (k *KeyGrant) in(b *Book, defs *StoredRoles) *power {
	if p := k.power.Load(); p != nil && p.root == b.root && p.defs == defs {
		return p
	}
	var scopes, counts []Permission
	creator := k.creator(b, defs)
	for _, text := range k.Scopes {
		if text == "*" {
			text = "*:*"
		}
		s, err := ParsePermission(text)
		if err != nil {
			continue
		}
		scopes = append(scopes, s)
		for _, c := range creator {
			if both, ok := meet(s, c); ok {
				counts = append(counts, both)
			}
		}
	}
	p := &power{root: b.root, defs: defs, scopes: newScopes(scopes), set: newScopes(counts)}
	k.power.Store(p)
	return p
}

// creator is what whoever made the key holds now: by stored roles whole, by
// claimed ones as claims bring them; a key made on the host everything in its
// tenant.
func (k *KeyGrant) creator(b *Book, defs *StoredRoles) []Permission {
	if k.ByHost {
		return []Permission{{resource: "*", action: "*", text: "*:*"}}
	}
	var out []Permission
	for _, name := range k.CreatorRoles {
		if r := b.role(defs, name); r != nil {
			out = append(out, r.set.permissions...)
		}
	}
	for _, name := range k.CreatorClaimed {
		if r := b.roles[name]; r != nil {
			out = append(out, r.claimed.permissions...)
		}
	}
	return newSet(out).permissions
}

// meet is what a scope and a permission of the creator have in common. The
// scope's "*" covers no guarded resource, and nobody's covers platform.
func meet(scope, held Permission) (Permission, bool) {
	out := Permission{resource: scope.resource, action: scope.action}
	switch {
	case scope.resource == held.resource:
	case scope.resource == "*":
		if isGuarded(held.resource) || held.resource == platform {
			return out, false
		}
		out.resource = held.resource
	case held.resource != "*" || scope.resource == platform:
		return out, false
	}
	switch {
	case scope.action == held.action || held.action == "*":
	case scope.action == "*":
		out.action = held.action
	default:
		return out, false
	}
	out.text = out.resource + ":" + out.action
	return out, true
}

func isGuarded(resource string) bool { return slices.Contains(guarded[:], resource) }
