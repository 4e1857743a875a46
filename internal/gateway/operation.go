package gateway

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/trace"
)

// OperationTime is how long one operation may take.
const OperationTime = 30 * time.Second

// maxOperationBody is what MaxBody -1 stands for.
const maxOperationBody = 10 << 20

// Operation is one operation of one of Portreeve's own surfaces: an Answer of a
// Route. Whoever calls Run has decided before that the caller may.
type Operation struct {
	Surface, Name string // "tenantApi", "create an API key": for people and logs
	// MaxBody bounds the request body in bytes; 0: none is read; -1: 10 MiB.
	MaxBody int64
	// Tenant says that it works on a tenant's rows: who has none gets 403.
	Tenant bool
	Shape  Shape // how faults look; nil: Flat
	// HTML says that it answers with pages: what refuses a browser is one too.
	HTML bool
	// People says that it is for people alone: Run refuses keys, machines and
	// services. It is for those who tell who opens what.
	People bool
	// SecretPath says that a parameter of its path is a secret: logs and records
	// hold the pattern instead of the path.
	SecretPath bool
	// Unlisted keeps it out of the API reference.
	Unlisted bool
	// Run does it. An error that is no *fault.Error is a 500.
	Run func(ctx context.Context, c *Call) (request.Reply, error)
}

func (*Operation) kind() string { return "portreeve" }

// Shape renders a fault in the shape of a surface. decision, where it is not
// empty, is the id that finds the refusal again. FaultHeaders go with every
// shape.
type Shape func(f *fault.Error, requestID, decision string) request.Reply

// Call is one allowed request to an operation. Nothing of it outlives the
// request.
type Call struct {
	View     *request.View
	Params   *Params
	Who      *principal.Principal
	Standing *policy.Standing
	// Tenant is whom the call is about: the caller's own tenant, the one that
	// X-Tenant-ID names for a holder of platform:*, the site's for the anonymous.
	Tenant   string
	Body     []byte
	Now      time.Time
	Site     *Site
	Actor    func() audit.Actor // the caller, for the record
	Decision string             // under which a refusal is found again
	// Refused is why an operation that answers with a page of its own let nobody
	// in: set, its reply is kept as a refusal under Decision.
	Refused *fault.Error
	// Why are the steps of what the page asked and was refused: with Refused set,
	// the record has them between the page's own steps and the last.
	Why []trace.Step

	x       *Exchange
	gate    *Gate          // nil: it may ask nothing
	cookies request.Header // that its questions brought up
}

// SurfaceRoute is how a feature lists its operations.
type SurfaceRoute struct {
	Method, Path string // a method in any case, or "any"
	Require      policy.Requirements
	// Public says that the anonymous may call too, where the site itself does not
	// keep them out.
	Public bool
	// Anonymous says that it looks at no credential: everybody is nobody to it, and
	// a bad credential does not matter. For the ways to sign in and out. The rule
	// about other sites' requests holds all the same, and the site's allow and deny
	// do not: nobody could sign in to be allowed.
	Anonymous bool
	// OtherSites says that pages of other sites may call: no credential that a
	// browser adds by itself means anything to it.
	OtherSites bool
	// Factor, where it is not nil, says that the operation takes a step-up in its body
	// too, for pages whose origin's rules let no header through: where the site's
	// requireMfa asks for one, it is not the gate that looks for it but Factor, before
	// the operation runs, and its error refuses.
	Factor func(context.Context, *Call) error
	// Limit is what counts where the site says nothing about this path: neither
	// rateLimit.default nor its perEndpoint, and rateLimit is not off. Routes of one
	// surface with equal limits count together. nil: none.
	Limit *limit.RuleConfig
	// LimitOf names what counts together instead of the surface; "": the surface.
	LimitOf string
	Op      Operation
}

// Operation is the operation that the exchange's route leads to, or its path's
// where no route takes the method; nil elsewhere.
func (x *Exchange) Operation() *Operation {
	if x.Route != nil {
		op, _ := x.Route.Answer.(*Operation)
		return op
	}
	if x.Entry != nil {
		op, _ := x.Entry.Routes[0].Answer.(*Operation)
		return op
	}
	return nil
}

// BodyLimit is how much of the request body the operation reads.
func (o *Operation) BodyLimit() int64 {
	if o.MaxBody < 0 {
		return maxOperationBody
	}
	return o.MaxBody
}

// Call makes the call of an allowed exchange. decision is the id that a refusal
// by the operation itself gets.
func (x *Exchange) Call(body []byte, now time.Time, decision string) (*Call, *fault.Error) {
	if !x.owned() { // whose bodies are another service's: their type decides nothing, and they name what they like
		if len(body) > 0 && strings.HasPrefix(strings.ToLower(strings.TrimSpace(x.View.Header.Get("Content-Type"))), "multipart/") {
			return nil, fault.New(fault.BadRequest, "bad_body", "The request body is not JSON")
		}
		if named, ok := bodyTenant(body); ok && named != x.Tenant {
			return nil, fault.New(fault.Forbidden, "tenant_mismatch", "")
		}
	}
	return &Call{
		View: &x.View, Params: &x.Params, Who: x.Stand.Who, Standing: &x.Stand, Tenant: x.Tenant, Body: body,
		Now: now, Site: x.Site, Actor: x.actor, Decision: decision, x: x,
	}, nil
}

// actor is the caller as the record names it. An address that nobody verified
// is nobody's there.
func (x *Exchange) actor() audit.Actor {
	p := x.Stand.Who
	a := audit.Actor{Kind: string(p.Kind), Provider: p.Provider, Issuer: p.Issuer, ID: p.ID(), UserID: x.Stand.UserID, IP: x.View.Client}
	if p.EmailVerified {
		a.Email = p.EmailFolded
	}
	return a
}

// OperationFault classifies what an operation returned: its time being over is
// no fault of the caller's.
func OperationFault(err error) *fault.Error {
	var f *fault.Error
	if !errors.As(err, &f) && errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Unavailable, "operation_time", "", err)
	}
	return fault.From(err)
}

// Fault renders a fault in the shape of whatever the request was for: of the
// surface whose the site is, of the operation, or flat. A refusal, which has a
// decision, is a page to a browser, but not on a site that a surface owns.
func (x *Exchange) Fault(f *fault.Error, requestID, decision string) request.Reply {
	if o := x.owner(); o != nil {
		return ownersFault(o, f, requestID, decision)
	}
	if reply, ok := x.page(f, requestID, decision); ok {
		return reply
	}
	if op := x.Operation(); op != nil && op.Shape != nil {
		return op.Shape(f, requestID, decision)
	}
	return Flat(f, requestID, decision)
}
