package outbound

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	standardTime   = 10 * time.Second
	standardAnswer = 1 << 20
	maxHead        = 64 << 10 // of an answer
	maxConns       = 256      // to one service: more calls wait within their time
	maxIdle        = 32
	idleTime       = 30 * time.Second // shorter than what services keep theirs
)

// Options say which service, and what it may have.
type Options struct {
	// BaseURL is where it is: https, host, and perhaps a path that all calls stand
	// under.
	BaseURL string
	// Plain lets BaseURL be http.
	Plain bool
	// Timeout is for a whole exchange, the answer's body included; 0: 10 s.
	Timeout time.Duration
	// MaxAnswer bounds an answer's body in bytes, after inflation; 0: 1 MiB.
	MaxAnswer int64
	// Refuse reports addresses that are never dialled: our own listeners. nil: none.
	Refuse func(netip.AddrPort) bool
	// Private says that the service may be at an address that is not of the public
	// internet.
	Private bool
	// Transport carries the exchanges in tests, and then nothing is known of
	// addresses; nil: HTTP.
	Transport http.RoundTripper
}

// Client calls one service. It may be used by any number at once.
type Client struct {
	base      *url.URL
	timeout   time.Duration
	maxAnswer int64
	http      http.Client
	own       *http.Transport // nil where Options brought one
}

// New makes a client. The error says what is wrong with the URL, in words for
// whoever wrote it, and never quotes it.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.BaseURL, o.Plain)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, timeout: cmp.Or(max(o.Timeout, 0), standardTime), maxAnswer: cmp.Or(max(o.MaxAnswer, 0), standardAnswer)}
	carrier := o.Transport
	if carrier == nil {
		c.own = transport(o)
		carrier = c.own
	}
	c.http = http.Client{Transport: carrier, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// Host is the service's host and port, as far as written.
func (c *Client) Host() string { return c.base.Host }

// Close lets go of connections that nobody uses.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

func parseBase(raw string, plain bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("is no URL with a host, such as https://service.example.com")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("begins with https://")
	case u.Scheme == "http" && !plain:
		return nil, errors.New("begins with https://: what is sent there is secret")
	case u.User != nil:
		return nil, errors.New("holds a user name; credentials have keys of their own")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, errors.New("ends before any query and fragment")
	}
	if err := checkPath(u.EscapedPath()); err != nil {
		return nil, err
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}, nil
}

// checkPath refuses what another reader could take for another path.
func checkPath(escaped string) error {
	for seg := range strings.SplitSeq(strings.TrimPrefix(escaped, "/"), "/") {
		plain, err := url.PathUnescape(seg)
		if err != nil || plain == "." || plain == ".." || strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			return errors.New("holds a path that can be read in two ways")
		}
	}
	return nil
}
