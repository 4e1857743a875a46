// Package rbac keeps the roles of tenants: those that Portreeve itself grants
// permissions by, who is assigned to them, and, in a namespace of their own, the
// roles that a tenant keeps for the end users of its own application.
//
// It owns the rules of a role (names, bounds, inheritance), the rule that nobody
// grants what they do not hold, and the surfaces /rbac/… and /tenant/rbac/….
// It must not know sockets, and does not decide requests: the roles of the file
// and the compiled sets are policy's, who a user is is tenant's.
//
// Flow of a change: the caller's standing and a draft → the tenant's turn (one
// change of a tenant at a time) → the roles as they stand in this transaction →
// what anybody would hold afterwards against what the caller holds now → the
// rows, the audit event and the note of the change, all or nothing.
//
// A name means the role of the file or a built-in one first, else the tenant's
// own (RBAC1 of the NIST model: hierarchical roles, here with one parent each).
package rbac
