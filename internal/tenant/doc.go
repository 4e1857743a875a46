// Package tenant owns tenants, their users and which identity is which user.
//
// A tenant is a wall: what is stored belongs to one, and a caller acts within
// its own. A user is a row that says who may come in and with which roles; it
// binds to one identity (provider, issuer, subject) on its first use, by a
// verified e-mail address alone, and to no other until somebody undoes that.
//
// A caller whose credential names no tenant is looked for in all of them, and so
// that no tenant can take another's people, or shut them out, by a row of its own:
//
//   - rows of other tenants than the caller's default one, where it has one, count
//     only if who answers for all tenants made them (By.Host: the host, or a holder
//     of platform:* who acts in another tenant);
//   - of those that count, one that is bound to the caller goes before one that
//     only has its verified e-mail and is nobody's yet;
//   - of several such, the host's go first, then the one that was known first. A row
//     that is given another address counts as known, and as made, from then on.
//
// A verified address that only somebody else's rows have is a conflict.
//
// The rules (Service) are used alike by HTTP, the command line and imports:
// every write is one transaction that begins with Turn, so that a tenant's
// writers take turns on both engines, and ends with its audit event and the
// note that tells every node's caches.
//
// The Directory answers a decision's question what is stored about a caller. It
// is a bounded table that is read without locks; what is not at hand, or has
// changed since it was read, is a park.Job that reads the store, and binds.
// Where the changes of other nodes have not been read lately, it refuses.
//
// It knows nothing of role definitions and keys: RoleSource and KeySource are
// what it needs to know of them, and Grants is who says whether somebody may
// give a role away.
package tenant
