package client

import (
	"net/netip"
	"testing"

	"github.com/portreeve/portreeve/internal/request"
)

// What a PROXY header said holds; of the request's own fields nothing does,
// since the proxy hands them on unread.
func TestAPROXYHeaderIsAllThatCounts(t *testing.T) {
	t.Parallel()
	const (
		proxy = "trustedProxies: [{from: 10.0.0.1, header: proxyProtocol}, 10.0.0.0/8]"
		plain = "trustedProxies: [10.0.0.0/8]"
	)
	client := netip.MustParseAddr("203.0.113.7")
	fields := request.Header{{Name: "X-Forwarded-For", Value: "6.6.6.6"}, {Name: "X-Real-IP", Value: "6.6.6.6"},
		{Name: "X-Forwarded-Proto", Value: "https"}, {Name: "Forwarded", Value: "for=6.6.6.6;proto=https"}}
	byConnection := func(addr, scheme string, p Problem) Seen {
		s := seen(addr, scheme, true, p)
		s.ByConnection = true
		return s
	}
	for _, c := range []struct {
		name, yaml, peer string
		said             Spoken
		want             Seen
	}{
		{"the client that it names", proxy, "10.0.0.1:5", Spoken{Here: true, Client: client}, byConnection("203.0.113.7", "", "")},
		{"its word about TLS", proxy, "10.0.0.1:5", Spoken{Here: true, Client: client, Scheme: "https"}, byConnection("203.0.113.7", "https", "")},
		{"a health check of the proxy's own", proxy, "10.0.0.1:5", Spoken{Here: true, Local: true}, byConnection("10.0.0.1", "", "")},
		{"a client that it does not know", proxy, "10.0.0.1:5", Spoken{Here: true}, byConnection("10.0.0.1", "", Missing)},
		{"a connection older than the setting", proxy, "10.0.0.1:5", Spoken{}, byConnection("10.0.0.1", "", Missing)},
		{"a setting younger than the connection", plain, "10.0.0.1:5", Spoken{Here: true, Client: client}, byConnection("203.0.113.7", "", "")},
		{"another entry's peer", proxy, "10.0.0.2:5", Spoken{}, seen("6.6.6.6", "https", true, "")},
		{"nobody's", "{}", "10.0.0.1:5", Spoken{Here: true, Client: client}, seen("10.0.0.1", "", false, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := trust(t, c.yaml).Resolve(netip.MustParseAddrPort(c.peer), c.said, fields); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWhoMustSpeakPROXY(t *testing.T) {
	t.Parallel()
	tr := trust(t, "trustedProxies: [{from: [10.0.0.1, 'fd00::/8'], header: proxyProtocol}, 10.0.0.0/8]")
	for addr, want := range map[string]bool{"10.0.0.1": true, "::ffff:10.0.0.1": true, "fd00::9": true, "10.0.0.2": false, "192.0.2.1": false} {
		if got := tr.SpeaksProxy(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %t", addr, got)
		}
	}
	if (*Trust)(nil).SpeaksProxy(netip.MustParseAddr("10.0.0.1")) || (&Trust{}).SpeaksProxy(netip.Addr{}) {
		t.Error("nobody is trusted, and somebody must speak")
	}
}
