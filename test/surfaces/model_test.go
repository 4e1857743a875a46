package surfaces

import (
	"slices"
	"strings"
)

// The rules of who holds what, read from the specification a second time: small
// enough to be right by looking at it, and nothing of the product's.

// builtIn are the roles that every tenant has.
func builtIn() map[string][]string {
	return map[string][]string{
		"admin":  {"*:*"},
		"member": {"machines:read", "escrow:read", "escrow:reveal", "apikeys:read", "agents:create"},
		"viewer": {"machines:read"},
		"user":   {},
	}
}

// covers reports whether a permission as a role writes it covers one that is
// asked for. "*" never covers platform.
func covers(held, asked string) bool {
	hr, ha, _ := strings.Cut(held, ":")
	ar, aa, _ := strings.Cut(asked, ":")
	return (hr == ar || hr == "*" && ar != "platform") && (ha == aa || ha == "*")
}

// scopeCovers is covers for a key's scope, whose "*" stands for everything but
// what has to be named.
func scopeCovers(scope, asked string) bool {
	if scope == "*" {
		scope = "*:*"
	}
	resource, _, _ := strings.Cut(asked, ":")
	switch {
	case resource == "platform":
		return false
	case strings.HasPrefix(scope, "*:"):
		switch resource {
		case "apikeys", "users", "rbac", "secrets", "escrow", "audit":
			return false
		}
	}
	return covers(scope, asked)
}

// caller is somebody who calls, and what the rules say about it.
type caller struct {
	name   string
	kind   string // jwt, stored, access, service, key, machine, anonymous, bad, refused, two
	fields []string
	tenant string
	holds  []string // of a key: its scopes
	// turned is what it is answered whatever it asks: 401 where its credential
	// counts nowhere here, 403 where it is known and refused. 0: it is heard.
	turned int
	// costs says that each refusal counts against the address.
	costs bool
}

func (c *caller) has(permission string) bool {
	for _, held := range c.holds {
		if c.kind == "key" && scopeCovers(held, permission) || c.kind != "key" && covers(held, permission) {
			return true
		}
	}
	return false
}

// expect is what an operation answers to a caller that names tenants in
// X-Tenant-ID: a status, or 0 and the tenant that it is about.
func expect(c *caller, o operation, named []string) (status int, about string) {
	if o.Surface == "escrow" {
		return expectEscrow(c, o, named)
	}
	if c.turned != 0 {
		return c.turned, ""
	}
	for _, p := range o.Permissions {
		if !c.has(p) {
			return 403, ""
		}
	}
	about = c.tenant
	switch {
	case len(named) > 1:
		return 400, ""
	case len(named) == 1 && named[0] != c.tenant && !c.has("platform:*"):
		return 403, ""
	case len(named) == 1:
		about = named[0]
	}
	if o.Tenant && about == "" {
		return 403, ""
	}
	return 0, about
}

// expectEscrow is expect for secret escrow: machines, by token, on their side; on
// the other people with a users row, by what that row's roles hold. What a token
// claims is nothing there, and no tenant but one's own.
func expectEscrow(c *caller, o operation, named []string) (status int, about string) {
	machine, ofMachines := c.kind == "machine", slices.Contains(o.Permissions, "machine:ingest")
	switch {
	case c.kind == "two": // whichever of the two is asked for
		return 403, ""
	case ofMachines != machine, c.kind == "key":
		return 401, ""
	case c.turned != 0 && !machine:
		return c.turned, ""
	case !machine && (c.tenant == "" || c.kind == "jwt" || c.kind == "service"): // programs are no people
		return 403, ""
	}
	for _, p := range o.Permissions {
		if !machine && !c.has(p) {
			return 403, ""
		}
	}
	switch {
	case len(named) > 1:
		return 400, ""
	case len(named) == 1 && named[0] == "nowhere" && c.has("platform:*"):
		return 0, "nowhere"
	case len(named) == 1 && named[0] != c.tenant:
		return 403, ""
	}
	return 0, c.tenant
}
