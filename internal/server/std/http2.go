package std

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/client"
	"github.com/portreeve/portreeve/internal/wire"
)

// arrived is a request as the connection it came on has it.
type arrived struct {
	head    *wire.Head
	refused *wire.Refusal
	body    bool
	peer    netip.AddrPort
	unix    bool
	spoken  client.Spoken
	tls     *tls.ConnectionState
	conn    *Conn        // of HTTP/1.1, else nil
	options *ConnOptions // of HTTP/2, else nil
}

// greet tells the exchange of a request that goes no further whose it is.
func (in *arrived) greet(rt *Runtime, o *Outcome) {
	host, name := "", ""
	if in.head != nil {
		host = in.head.Header.Get("Host")
	}
	if in.tls != nil {
		name = in.tls.ServerName
	}
	rt.Snapshot.Greet(o.Exchange, host, name)
}

// incoming finds the checked head of a request. ok is false for one that came
// neither by Listen nor by HTTP/2 behind it.
func incoming(r *http.Request) (in arrived, ok bool) {
	if c := ConnFrom(r.Context()); c != nil {
		in.conn, in.tls, in.spoken = c, c.TLS(), c.Spoken()
		in.peer, in.unix = c.Peer()
		if in.head, in.refused = c.Next(); in.head != nil {
			in.body = in.head.HasBody()
		}
		return in, true
	}
	c, ok := r.Context().Value(secureKey{}).(*tls.Conn)
	if !ok || r.ProtoMajor != 2 {
		return in, false
	}
	state := c.ConnectionState()
	in.tls, in.peer, in.spoken = &state, peerOf(c), spokenOn(c)
	in.body = r.ContentLength != 0 // Body is there in any case
	in.options = optionsOf(c)
	in.head, in.refused = http2Head(r, in.options.Limits)
	return in, true
}

// http2Head holds an HTTP/2 request to the very rules of HTTP/1.1: it is written
// as an HTTP/1.1 head and goes through the same check. :authority is the Host,
// and one Host field beside it must say the same (RFC 9113 section 8.3.1). What
// net/http reads of a head is bounded by SETTINGS_MAX_HEADER_LIST_SIZE before. The
// fields come in the order of their names, since net/http keeps no other.
func http2Head(r *http.Request, l wire.Limits) (*wire.Head, *wire.Refusal) {
	refuse := func(reason string) (*wire.Head, *wire.Refusal) {
		return nil, &wire.Refusal{Status: http.StatusBadRequest, Reason: reason}
	}
	switch hosts := r.Header["Host"]; {
	case len(hosts) > 1:
		return refuse("more than one Host field")
	case len(hosts) == 1 && hosts[0] != r.Host:
		return refuse(":authority and Host differ")
	case !strings.HasPrefix(r.RequestURI, "/") && r.Method != http.MethodConnect: // which the check refuses
		return refuse(":path does not begin with a slash")
	}
	if listSize(r) > cmp.Or(max(l.HeadBytes, 0), wire.DefaultHeadBytes) { // before it is written out
		return nil, &wire.Refusal{Status: http.StatusRequestHeaderFieldsTooLarge, Reason: "the request head is too large"}
	}
	names := make([]string, 0, len(r.Header))
	size := len(r.Method) + len(r.RequestURI) + len(r.Host) + len("  HTTP/1.1\r\nHost: \r\n\r\n")
	for name, values := range r.Header {
		if name != "Host" {
			names = append(names, name)
			for _, value := range values {
				size += len(name) + len(value) + len(": \r\n")
			}
		}
	}
	slices.Sort(names)
	raw := append(append(append(make([]byte, 0, size), r.Method...), ' '), r.RequestURI...)
	raw = append(append(append(raw, " HTTP/1.1\r\nHost: "...), r.Host...), "\r\n"...)
	for _, name := range names {
		for _, value := range r.Header[name] {
			if strings.ContainsAny(value, "\r\n") || strings.Trim(value, " \t") != value {
				return refuse("a field value begins or ends with a blank, or holds a line break")
			}
			raw = append(append(append(append(raw, name...), ": "...), value...), "\r\n"...)
		}
	}
	raw = append(raw, "\r\n"...)
	head, n, err := wire.ParseHead(raw, l)
	switch {
	case err != nil:
		return nil, asRefusal(err)
	case n != len(raw):
		return refuse("the head is not one head")
	case head.Websocket:
		return refuse("HTTP/2 has no Upgrade")
	case head.ContentLength > 0 && r.ContentLength == 0:
		return refuse("the body has another length than Content-Length says")
	}
	return head, nil
}

// listSize is how long the fields are when they are written out. A back
// reference of HPACK makes one byte of thousands, and the strings that it makes
// are shared: what is counted here takes no memory yet.
func listSize(r *http.Request) (n int) {
	n = len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

// optionsOf are those of a TLS connection of Listen.
func optionsOf(c *tls.Conn) *ConnOptions {
	if p, ok := c.NetConn().(*placed); ok && p.o != nil {
		return p.o
	}
	return &ConnOptions{}
}

// streamOf is what Places.take wants to know of an HTTP/2 request: an address
// may have as many at one time as connections, on each of which HTTP/1.1 has
// one. Without that few connections would take every place that there is.
func (in *arrived) streamOf() (from netip.Addr, most int, exempt func(netip.Addr) bool) {
	if in.options == nil {
		return from, 0, nil
	}
	if from = in.peer.Addr(); in.spoken.Client.IsValid() {
		from = in.spoken.Client
	}
	return from, in.options.PerIP, in.options.Exempt
}
