package login

import (
	"context"
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/request"
)

// kind is what somebody tries to do.
type kind struct {
	name string
	// event and label are how the attempt is scored: the type, and the name of a
	// custom event. "": it is not.
	event, label string
	// before is the status of the event before the provider is asked.
	before string
	// signsIn says that it ends with tokens of a session: then whoever comes in is
	// held to the user service, and scored again.
	signsIn bool
	// guesses says that it shows a password, whose failures lock out.
	guesses bool
}

var (
	signIn   = kind{name: "login", event: "$login", before: "$attempted", signsIn: true, guesses: true}
	signUp   = kind{name: "signup", event: "$registration", before: "$attempted", signsIn: true, guesses: true}
	refresh  = kind{name: "refresh", event: "$custom", label: "Token refresh", signsIn: true}
	mfaProof = kind{name: "mfa", event: "$challenge", before: "$requested", signsIn: true}
	// mfaToken is a password for a token that opens the MFA interface alone.
	mfaToken = kind{name: "mfa_token", event: "$login", before: "$attempted", guesses: true}
	// socialBack is the provider's code on its way back, by a browser that has no
	// device token; whoever redeems ours is scored then.
	socialBack = kind{name: "social_callback"}
	socialCode = kind{name: "social", event: "$login", before: "$attempted", signsIn: true}
)

// attempt is one request on its way through the gate. Nothing of it is logged.
type attempt struct {
	kind kind
	// account is the login as it was written; email the same where it is an address.
	account, email string
	grant          grant
	signup         *registration // of a sign-up, before the grant
	social         *redemption   // of a social code, in place of the grant
	guess          string        // what guesses are counted by besides: a digest of the mfa_token

	from              netip.Addr
	host              string // that was called
	request, decision string // ids
	origin            string // of the site, as it was called
	headers           request.Header
	device            []string // every device token that was sent

	listed   bool          // a tester's login: neither risk nor lock-out
	looked   string        // the address whose standing is known
	scoring  time.Duration // what scoring took so far
	answer   *answer
	failed   *fault.Error                                           // that answer is made of, where the provider's is not to be had
	more     []request.Field                                        // header fields of the answer
	counted  bool                                                   // lock-out knows how it ended
	end      func(context.Context, *attempt) (request.Reply, error) // in place of the answer; nil: the answer
	userID   string                                                 // sub of whom the provider let in
	nameless bool                                                   // the provider let somebody in and does not say whom
	userMail string                                                 // their address

	proof      *proof       // of a second factor of our own, in place of the grant
	released   *held        // what it set free
	registered *Registering // what scripts made of a sign-up
}
