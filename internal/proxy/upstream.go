package proxy

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// The time-outs that stand where the file says nothing.
const (
	DefaultConnectTimeout = 5 * time.Second
	DefaultTimeout        = 60 * time.Second
	DefaultIdleTimeout    = 5 * time.Minute
)

// Settings are what an Upstream is made of. They compare with ==: an upstream
// whose settings did not change in a reload is kept, connections and all.
type Settings struct {
	Scheme  string // "http", "https", or "unix": plain HTTP over a socket
	Address string // host:port, IPv6 in brackets; of "unix" the socket's path
	// ConnectTimeout covers name, connection and TLS; Timeout the wait for the
	// answer's head once the request is sent; IdleTimeout the silence between
	// bytes of a body, either way. Zero means the default.
	ConnectTimeout, Timeout, IdleTimeout time.Duration
	Protocol                             Protocol
}

// Deps is what an Upstream needs from the process.
type Deps struct {
	// Own reports whether an address is a listener of this process; such an
	// upstream is refused. nil: nothing is known of any.
	Own func(netip.AddrPort) bool
	// OwnSocket is Own for unix sockets, by path.
	OwnSocket func(string) bool
	// Roots verify https upstreams; nil means the system's.
	Roots *x509.CertPool
	// Resolve looks a name up; nil means the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	// Log takes what becomes of members; nil: nobody hears of it.
	Log *slog.Logger

	dial dialFunc // of tests; nil: the system's
}

// Upstream is one place where requests go. It is safe for concurrent use.
type Upstream struct {
	set   Settings
	pool  pool
	multi *multiplex // nil: HTTP/1.1 alone
}

var errURL = errors.New("must be http://host[:port][/base], https://… or unix:FILE, without user, query and fragment")

// ParseURL takes an upstream's URL apart: the settings that say where it is,
// the authority for a Host field, and its base path without a trailing slash
// ("" for none). unix:FILE has neither. The error never quotes the URL.
func ParseURL(raw string) (set Settings, host, base string, err error) {
	if file, ok := strings.CutPrefix(raw, "unix:"); ok {
		if file == "" {
			return set, "", "", errURL
		}
		return Settings{Scheme: "unix", Address: file}, "", "", nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		strings.Contains(raw, "#") || u.Opaque != "" || u.Hostname() == "" {
		return set, "", "", errURL
	}
	port := u.Port()
	switch {
	case u.Scheme != "http" && u.Scheme != "https", strings.HasSuffix(u.Host, ":"):
		return set, "", "", errURL
	case port == "" && u.Scheme == "http":
		port = "80"
	case port == "":
		port = "443"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return set, "", "", errURL
	}
	if _, ok := request.CanonicalHost(u.Host); !ok {
		return set, "", "", errURL
	}
	base = strings.TrimRight(u.EscapedPath(), "/")
	if base != "" {
		t := request.ParseTarget(base, request.PathRules{}, nil)
		if len(t.Problems) > 0 || t.Path.String() != base {
			return set, "", "", errURL
		}
	}
	set = Settings{Scheme: u.Scheme, Address: net.JoinHostPort(u.Hostname(), port)}
	return set, strings.ToLower(u.Host), base, nil
}

// New makes an Upstream; it connects to nothing yet.
func New(s Settings, d Deps) *Upstream {
	host, _, _ := net.SplitHostPort(s.Address)
	return newUpstream(s, d, nil, host)
}

// newUpstream makes one whose certificate must be for name.
func newUpstream(s Settings, d Deps, t *ClientTLS, name string) *Upstream {
	s = s.filled()
	u := &Upstream{set: s}
	host, _, _ := net.SplitHostPort(s.Address)
	_, err := netip.ParseAddr(host)
	u.pool = pool{network: "tcp", address: s.Address, literal: err == nil,
		own: d.Own, ownSock: d.OwnSocket, dialer: d.dial}
	switch s.Scheme {
	case "https":
		u.pool.tls = t.config(d, name)
	case "unix":
		u.pool.network, u.pool.literal = "unix", true
	}
	u.multi = newMultiplex(u)
	return u
}

// filled puts the defaults where nothing is set.
func (s Settings) filled() Settings {
	for _, t := range []struct {
		d   *time.Duration
		def time.Duration
	}{
		{&s.ConnectTimeout, DefaultConnectTimeout}, {&s.Timeout, DefaultTimeout}, {&s.IdleTimeout, DefaultIdleTimeout},
	} {
		if *t.d <= 0 {
			*t.d = t.def
		}
	}
	return s
}

// Settings returns what the upstream was made of, defaults filled in.
func (u *Upstream) Settings() Settings { return u.set }

// Close closes the idle connections; those in use close when their exchange is
// over. Serve still works afterwards, without keeping connections.
func (u *Upstream) Close() {
	u.pool.close()
	u.multi.close()
}

// Serve forwards r with the head o and relays the answer to w. Of r it uses
// the body, its length and the context: a context that ends cancels the
// exchange.
//
// status is 0 when nothing went to the client: f then says what to answer. A
// status together with a fault is an answer that broke off in its body: Serve
// has seen to it that the client's connection ends without a proper end of the
// body, and f is for the log. bytes counts the body's bytes to the client.
//
// w must lead to net/http's own ResponseWriter by Unwrap methods, or Serve
// panics with http.ErrAbortHandler where it must cut the connection. What
// stands in w.Header() wins over the upstream's fields of the same name.
func (u *Upstream) Serve(w http.ResponseWriter, r *http.Request, o *gateway.Forward) (status int, bytes int64, f *fault.Error) {
	return serve(u, nil, w, r, o)
}

// serve is Serve of u, or of a group, which chooses the upstream itself.
func serve(u *Upstream, g *Group, w http.ResponseWriter, r *http.Request, o *gateway.Forward) (status int, bytes int64, f *fault.Error) {
	x := exchanges.Get().(*exchange)
	in, head := inflowBuffers.Get().(*[]byte), headBuffers.Get().(*[]byte)
	x.u, x.way.g, x.w, x.r, x.o, x.ctx = u, g, w, r, o, r.Context()
	x.rc = http.NewResponseController(w)
	x.in.buf, x.head = *in, (*head)[:0]
	defer func() {
		if x.c != nil || x.two != nil { // w panicked
			x.release(false)
		}
		x.way.leave()
		if cap(x.head) <= 2*maxHeadBytes {
			*head = x.head
		}
		inflowBuffers.Put(in)
		headBuffers.Put(head)
		x.reset()
		exchanges.Put(x)
	}()
	status, f = x.run()
	return status, x.sent, f
}
