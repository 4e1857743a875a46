// Package park is the only way from a decision to anything slow. A decision
// that cannot be made at once names a Job; whoever holds the socket hands it to
// the Lot and decides again with what came back.
package park

import "context"

// Key names a job: equal keys are the same work and run once.
type Key [32]byte

// Job is slow work that a decision waits for. Run gets its own context, not a
// request's, since other requests may wait for the same job.
type Job struct {
	Kind string // "verify", "keys", "key"
	Key  Key
	// Waits says that the job spends its time waiting for somebody else. Such
	// jobs have workers of their own: a slow issuer must not keep the
	// signatures of all others from being verified.
	Waits bool
	// Guess says that a stranger may be trying names or secrets: one that ends in
	// fault.Unauthenticated counts against the client's address, and an address
	// with too many of them gets no further one (gateway.Gate).
	Guess bool
	// Misses is how many of them an address may have in a minute, counted beside
	// those of other bounds; 0: as few as of keys.
	Misses int
	Run    func(ctx context.Context) (any, error)
}

// Settled is what became of a job, handed to the decision that asked for it.
type Settled struct {
	Key   Key
	Value any
	Err   error
}

// Find returns what became of the job called key, if it ran for this request.
func Find(settled []Settled, key Key) (Settled, bool) {
	for _, s := range settled {
		if s.Key == key {
			return s, true
		}
	}
	return Settled{}, false
}
