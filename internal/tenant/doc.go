// Package tenant owns tenants, their users and which identity is which user.
//
// A tenant is a wall: what is stored belongs to one, and a caller acts within
// its own. A user is a row that says who may come in and with which roles; it
// binds to one identity (provider, issuer, subject) on its first use, by a
// verified e-mail address alone, and to no other until somebody undoes that.
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
