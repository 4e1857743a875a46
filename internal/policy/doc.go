// Package policy turns a principal and a requirement into a decision.
//
// It owns roles and permissions (Book), what a caller has on top of what its
// credential proved (Standing: roles, permissions, tenant), and what a route
// can ask for (Requirement). It does no I/O, holds no locks and never looks at
// a credential: a principal arrives verified, or is nobody. What is stored about
// callers it asks a Directory, which the features that store it satisfy.
//
// # Flow
//
//	book := policy.NewBook(cfg, r)              // at load: roles compiled to permission sets
//	req := policy.Compile(requirements, deps, r) // at load: a route's requirements
//	stand := book.Stand(who, tenants, known)    // per request, without allocation
//	fault := req.Check(policy.Input{…}, nil)    // per request; nil lets through
//
// Check runs in a fixed order: authenticated, deny, allow, roles, permissions,
// scopes, tenant, when, resource, requireMfa. Each check is a small type of its own in the file
// check_<name>.go. On a refusal the same Check runs again over the same
// inputs with a trace.Recorder, and then goes on past the first failure, so
// that the trace says at once all that would have been enough.
//
// # Deny by default
//
// Whatever cannot be decided refuses: a template that is missing, null or
// empty, a condition that errs or costs too much, an address that is not
// known while a deny names addresses, a panic. A requirement with a load error
// compiles to one that refuses everybody.
//
// Roles follow NIST RBAC (INCITS 359, hierarchical); conditions are CEL
// (cel.dev), a typed language without loops that could run away.
package policy
