package proxy

import (
	"crypto/x509"
	"errors"
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
	Scheme  string // "http" or "https"
	Address string // host:port, IPv6 in brackets
	// ConnectTimeout covers name, connection and TLS; Timeout the wait for the
	// answer's head once the request is sent; IdleTimeout the silence between
	// bytes of a body, either way. Zero means the default.
	ConnectTimeout, Timeout, IdleTimeout time.Duration
}

// Deps is what an Upstream needs from the process.
type Deps struct {
	// Own reports whether an address is a listener of this process; such an
	// upstream is refused. nil: nothing is known of any.
	Own func(netip.AddrPort) bool
	// Roots verify https upstreams; nil means the system's.
	Roots *x509.CertPool
}

// Upstream is one place where requests go. It is safe for concurrent use.
type Upstream struct {
	set  Settings
	pool pool
}

var errURL = errors.New("must be http://host[:port][/base] or https://…, without user, query and fragment")

// ParseURL takes an upstream's URL apart: the settings that say where it is,
// the authority for a Host field, and its base path without a trailing slash
// ("" for none). The error never quotes the URL.
func ParseURL(raw string) (set Settings, host, base string, err error) {
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
	u := &Upstream{set: s}
	host, _, _ := net.SplitHostPort(s.Address)
	_, err := netip.ParseAddr(host)
	u.pool = pool{address: s.Address, literal: err == nil, timeout: s.ConnectTimeout, own: d.Own}
	if s.Scheme == "https" {
		u.pool.tls = tlsConfig(d, host)
	}
	return u
}

// Settings returns what the upstream was made of, defaults filled in.
func (u *Upstream) Settings() Settings { return u.set }

// Close closes the idle connections; those in use close when their exchange is
// over. Serve still works afterwards, without keeping connections.
func (u *Upstream) Close() { u.pool.close() }

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
	x := exchanges.Get().(*exchange)
	in, head := inflowBuffers.Get().(*[]byte), headBuffers.Get().(*[]byte)
	x.u, x.w, x.r, x.o, x.ctx = u, w, r, o, r.Context()
	x.rc = http.NewResponseController(w)
	x.in.buf, x.head = *in, (*head)[:0]
	defer func() {
		if x.c != nil { // w panicked
			x.release(false)
		}
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
