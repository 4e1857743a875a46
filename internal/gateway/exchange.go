package gateway

import (
	"net/netip"
	"time"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/request"
)

// Arrival is what an engine knows of a request whose head passed the check.
type Arrival struct {
	ID      string // ours
	Method  string
	Target  string
	Host    string // the one Host field, or :authority
	Header  request.Header
	HasBody bool
	Peer    netip.AddrPort
	Unix    bool // came over a unix socket
	// Spoken is the PROXY header at the start of its connection.
	Spoken client.Spoken
	TLS    bool // came by TLS
	// ServerName is the name that the TLS client asked for; "" if none.
	ServerName string
	// ClientCert reports that the TLS client showed a certificate.
	ClientCert bool
	Received   time.Time
}

// Exchange is one request on its way through the gate: the steps fill it in
// their order, and nothing in it outlives the request.
type Exchange struct {
	View   request.View
	Snap   *Snapshot
	Site   *Site
	Entry  *Entry
	Route  *Route
	Params Params
	Found  identity.Result
	Known  *policy.Known // what is stored about the caller; nil: nothing, or nobody
	before *policy.Known // of an exchange that is explained: what it was decided by
	Stand  policy.Standing
	Tenant string // whom an operation acts for
	Limits LimitReport

	// Repaired are the problems that strictness: report passed over.
	Repaired []request.Problem
	// AddressProblem says why a trusted proxy's word about the client did not count.
	AddressProblem client.Problem
	// ByProxy reports whether a trusted proxy spoke for the client.
	ByProxy bool

	within     *Exchange // of a page's question: the page's
	greeted    *Owner    // of a request that was not placed
	preflight  *CORS     // what answers a preflight
	proxySaid  string    // the scheme, by a trusted proxy; "" when it does not say
	asked      env       // what templates of the decision read
	ended      bool      // the session that the request came with is none any more
	clientCert bool
	settled    []park.Settled    // what this request's jobs came to
	outcomes   []park.Settled    // those that the decision is made by
	secrets    map[string]string // of the tenant, that the route's upstream is shown
	segments   [24]request.Segment
}

// Provider is whose credential the caller is known by, nil for nobody's.
func (x *Exchange) Provider() *identity.Provider {
	if x.Found.Provider == nil || !x.Found.Who.Authenticated() {
		return nil
	}
	return x.Found.Provider
}

// VerdictKind is what a decision came to. The zero value refuses.
type VerdictKind uint8

// The verdicts.
const (
	Refuse VerdictKind = iota
	Allow
	Park
)

// Verdict is a decision.
type Verdict struct {
	Kind  VerdictKind
	Fault *fault.Error // of Refuse
	Job   *park.Job    // of Park
	Reply *request.Reply
}

func refuse(f *fault.Error) Verdict {
	if f == nil {
		f = fault.New(fault.Internal, "no_reason", "")
	}
	return Verdict{Kind: Refuse, Fault: f}
}
