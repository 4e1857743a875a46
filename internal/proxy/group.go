package proxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
)

// GroupSettings are what a Group is made of.
type GroupSettings struct {
	Members []Settings // at least one
	Balance Balance
	Check   Check
	// Retries is how often one request may be tried at another member.
	Retries int
	TLS     *ClientTLS // of https members; nil: the system's roots
}

// ID is the same for settings that make the same group: a group is kept over a
// reload by it, health and connections and all.
func (s GroupSettings) ID() string {
	var b strings.Builder
	for _, m := range s.Members {
		m = m.filled()
		fmt.Fprintf(&b, "%s %q %s %s %s %d\n", m.Scheme, m.Address, m.ConnectTimeout, m.Timeout, m.IdleTimeout, m.Protocol)
	}
	fmt.Fprintf(&b, "%d %q %s %d %s", s.Balance, s.Check.Path, s.Check.Interval, s.Retries, s.TLS.id())
	return b.String()
}

// Group is the members that an upstream of the file names: each URL is a
// member, each address that its name has an endpoint with connections and
// health of its own. It is safe for concurrent use.
type Group struct {
	set     GroupSettings
	deps    Deps
	members []*member
	turn    atomic.Uint64
	budget  budget
	retried atomic.Uint64

	ctx    context.Context // of checks and look-ups; ends with Close
	cancel context.CancelFunc
	mu     sync.Mutex // guards what follows, and that nothing starts after Close
	begun  bool
	closed bool
	work   sync.WaitGroup
}

// member is one URL.
type member struct {
	g     *Group
	set   Settings
	host  string // as in the URL
	port  string
	fixed bool // an address or a socket: there is no name to look up
	turn  atomic.Uint64
	names names
	at    atomic.Pointer[[]*endpoint] // nil: never resolved
}

// endpoint is one address of a member.
type endpoint struct {
	up      *Upstream
	m       *member
	running atomic.Int64 // requests that are there now
	health  health
}

// NewGroup makes a group. It connects to nothing, and checks nothing until
// Start.
func NewGroup(s GroupSettings, d Deps) *Group {
	g := &Group{set: s, deps: d}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.budget.begin()
	for _, set := range s.Members {
		g.members = append(g.members, newMember(g, set.filled()))
	}
	return g
}

// Serve is Upstream.Serve by whichever member the balance chooses, or another
// one where the rules of retries allow it. Where no member is healthy the
// fault is Unavailable, CodeNoMember.
func (g *Group) Serve(w http.ResponseWriter, r *http.Request, o *gateway.Forward) (status int, bytes int64, f *fault.Error) {
	return serve(nil, g, w, r, o)
}

// TakesGRPC reports whether a member may be spoken to in HTTP/2: over HTTP/1.1
// there is no gRPC, whatever a request calls itself.
func (g *Group) TakesGRPC() bool {
	return slices.ContainsFunc(g.set.Members, func(s Settings) bool { return s.Protocol != HTTP1 })
}

// Start begins the health checks, if there are any. It may be called again.
func (g *Group) Start() {
	g.mu.Lock()
	begin := g.set.Check.Path != "" && !g.begun && !g.closed
	g.begun = g.begun || begin
	g.mu.Unlock()
	if begin {
		g.background(g.watch)
	}
}

// background runs f unless the group is closed; Close waits for it.
func (g *Group) background(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Go(f)
	return true
}

// Close stops checks and look-ups, waits for their end, and closes the idle
// connections. Serve still works for those who hold the group, by the
// addresses known so far.
func (g *Group) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	g.work.Wait()
	for _, m := range g.members {
		if list := m.at.Load(); list != nil {
			for _, e := range *list {
				e.up.Close()
			}
		}
	}
}

// name is the Host that a member's checks carry.
func (m *member) name() string {
	switch {
	case m.set.Scheme == "unix":
		return "localhost"
	case m.set.Scheme == "http" && m.port == "80", m.set.Scheme == "https" && m.port == "443":
		if strings.Contains(m.host, ":") {
			return "[" + m.host + "]"
		}
		return m.host
	}
	return net.JoinHostPort(m.host, m.port)
}

// url is how the file might have written the member.
func (m *member) url() string {
	if m.set.Scheme == "unix" {
		return "unix:" + m.set.Address
	}
	return m.set.Scheme + "://" + m.name()
}

// GroupHealth is the state of a group, for metrics and the admin listener.
type GroupHealth struct {
	Healthy bool           `json:"healthy"` // some member is up
	Retries uint64         `json:"retries"`
	Members []MemberHealth `json:"members"`
}

// MemberHealth is the state of one URL.
type MemberHealth struct {
	URL       string          `json:"url"`
	Up        bool            `json:"up"`              // some address is, or none is known yet
	Error     string          `json:"error,omitempty"` // of the last look-up
	Addresses []AddressHealth `json:"addresses"`
}

// AddressHealth is the state of one address.
type AddressHealth struct {
	Address string    `json:"address"`
	Up      bool      `json:"up"`
	Running int64     `json:"running"`         // requests there now
	Since   time.Time `json:"since,omitzero"`  // of the last change
	Error   string    `json:"error,omitempty"` // of the last check or connection, while it is not up
}

// Health looks at every member.
func (g *Group) Health() GroupHealth {
	out := GroupHealth{Retries: g.retried.Load(), Members: []MemberHealth{}}
	for _, m := range g.members {
		one := MemberHealth{URL: m.url(), Error: m.names.failure(), Addresses: []AddressHealth{}}
		list := m.at.Load()
		if list == nil {
			one.Up = one.Error == ""
			list = &[]*endpoint{}
		}
		for _, e := range *list {
			at := e.state()
			one.Addresses, one.Up = append(one.Addresses, at), one.Up || at.Up
		}
		out.Healthy = out.Healthy || one.Up
		out.Members = append(out.Members, one)
	}
	return out
}
