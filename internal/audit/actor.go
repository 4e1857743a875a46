// Package audit is the record of who did what.
package audit

import "net/netip"

// Actor is who did something, as the record names it.
type Actor struct {
	Kind     string // user | service | machine | anonymous | host | system
	Provider string
	Issuer   string
	ID       string // the credential's subject, or a service token's common name
	UserID   string // of the users row; ""
	Email    string // verified, folded; ""
	IP       netip.Addr
}
