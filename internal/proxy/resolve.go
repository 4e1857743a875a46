package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// How names are looked up. Nothing is looked up for a group that is neither
// asked nor checked.
const (
	// nameLife is how long the addresses of a name are used before it is looked
	// up again, in the background: a change takes effect within it.
	nameLife = 10 * time.Second
	// nameRest is the least time between two look-ups of a name: after one
	// failed, and when none of its addresses could be connected to.
	nameRest = time.Second
	// maxAddresses of one name are used.
	maxAddresses = 64
)

var errNoAddress = errors.New("the upstream's name has no address")

// names is what is known of a member's name.
type names struct {
	next atomic.Int64 // when it is to be looked up, in Unix nanoseconds

	mu   sync.Mutex
	busy chan struct{} // closed when the look-up under way is over; nil: none
	last time.Time     // of the last look-up's end
	err  error
}

func (n *names) due(now int64) bool { return now >= n.next.Load() }

func (n *names) failure() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err == nil {
		return ""
	}
	return n.err.Error()
}

// newMember makes a member; of a literal address or a socket it knows where it
// is at once.
func newMember(g *Group, set Settings) *member {
	m := &member{g: g, set: set}
	if m.fixed = set.Scheme == "unix"; m.fixed {
		m.at.Store(&[]*endpoint{{up: newUpstream(set, g.deps, nil, ""), m: m}})
		return m
	}
	m.host, m.port, _ = net.SplitHostPort(set.Address)
	if _, err := netip.ParseAddr(m.host); err == nil {
		m.fixed = true
		m.at.Store(&[]*endpoint{m.newEndpoint(set.Address)})
	}
	return m
}

func (m *member) newEndpoint(address string) *endpoint {
	set := m.set
	set.Address = address
	return &endpoint{up: newUpstream(set, m.g.deps, m.g.set.TLS, m.host), m: m}
}

// addresses are the member's endpoints. Only the first look-up is waited for;
// a later one runs beside, and what was known stays in use when it fails.
func (m *member) addresses(ctx context.Context) ([]*endpoint, error) {
	if list := m.at.Load(); list != nil {
		if !m.fixed && m.names.due(time.Now().UnixNano()) {
			m.lookUp()
		}
		return *list, nil
	}
	if busy := m.lookUp(); busy != nil {
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if list := m.at.Load(); list != nil {
		return *list, nil
	}
	m.names.mu.Lock()
	defer m.names.mu.Unlock()
	if m.names.err == nil {
		return nil, errNoAddress
	}
	return nil, m.names.err
}

// lookUp starts a look-up unless it is too early for one, and returns what is
// closed when the one under way is over; nil where there is none.
func (m *member) lookUp() chan struct{} {
	n := &m.names
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.busy != nil || !n.due(time.Now().UnixNano()) {
		return n.busy
	}
	done := make(chan struct{})
	run := func() { m.resolve(done) }
	if !m.g.background(run) {
		if m.at.Load() != nil {
			return nil
		}
		go run() // of a retired group that somebody holds, once: it ends by its time-out
	}
	n.busy = done
	return done
}

// resolve looks the name up and puts its addresses in place.
func (m *member) resolve(done chan struct{}) {
	parent := m.g.ctx
	if parent.Err() != nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithTimeout(parent, m.set.ConnectTimeout)
	defer cancel()
	find := m.g.deps.Resolve
	if find == nil {
		find = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	addrs, err := find(ctx, m.host)
	if err == nil && len(addrs) == 0 {
		err = errNoAddress
	}
	if err == nil {
		m.settle(addrs)
	}
	n := &m.names
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err, n.last = err, time.Now()
	life := nameLife
	if err != nil {
		life = nameRest
	}
	n.next.Store(n.last.Add(life).UnixNano())
	n.busy = nil
	close(done)
}

// hurry makes the next request look the name up again: an address of it could
// not be connected to, so it may have moved.
func (m *member) hurry() {
	if m.fixed {
		return
	}
	n := &m.names
	n.mu.Lock()
	defer n.mu.Unlock()
	if soon := n.last.Add(nameRest).UnixNano(); soon < n.next.Load() {
		n.next.Store(soon)
	}
}

// settle keeps the endpoints whose addresses are still among addrs, makes the
// new ones and retires the rest: their requests end where they are.
func (m *member) settle(addrs []netip.Addr) {
	var old []*endpoint
	if list := m.at.Load(); list != nil {
		old = *list
	}
	var list []*endpoint
	for _, a := range addrs {
		address := net.JoinHostPort(a.Unmap().String(), m.port)
		if find(list, address) != nil || len(list) == maxAddresses {
			continue
		}
		e := find(old, address)
		if e == nil {
			e = m.newEndpoint(address)
		}
		list = append(list, e)
	}
	m.at.Store(&list)
	for _, e := range old {
		if find(list, e.up.set.Address) == nil {
			e.up.Close()
		}
	}
}

func find(list []*endpoint, address string) *endpoint {
	for _, e := range list {
		if e.up.set.Address == address {
			return e
		}
	}
	return nil
}
