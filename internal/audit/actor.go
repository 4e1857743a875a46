package audit

import "net/netip"

// The kinds of actors.
const (
	User      = "user"
	Service   = "service" // API keys and service tokens
	Machine   = "machine"
	Anonymous = "anonymous"
	Host      = "host"   // somebody at the command line
	System    = "system" // Portreeve itself
)

// Actor is who did it. Email and IP can be erased later; nothing else can, so
// nothing else may hold an address of a person.
type Actor struct {
	Kind     string
	Provider string
	Issuer   string
	ID       string // the credential's subject, or a service token's common name
	UserID   string // of the users row; ""
	Email    string // verified; ""
	IP       netip.Addr
}
