package client

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

func compile(t testing.TB, yaml string) (*Trust, *config.Document) {
	t.Helper()
	var file struct {
		TrustedProxies config.List[TrustedProxyConfig] `json:"trustedProxies"`
	}
	doc := config.Decode([]byte(yaml), &file, config.Options{Name: "portreeve.yaml"})
	return Compile(file.TrustedProxies, doc.Report("trustedProxies")), doc
}

func trust(t testing.TB, yaml string) *Trust {
	t.Helper()
	tr, doc := compile(t, yaml)
	if doc.Failed() {
		t.Fatal(doc.Problems())
	}
	return tr
}

func TestResolve(t *testing.T) {
	t.Parallel()
	const (
		cf   = "trustedProxies: [{from: cloudflare, header: CF-Connecting-IP}]"
		xff  = "trustedProxies: [10.0.0.0/8]"
		hops = "trustedProxies: [{from: [10.0.0.0/8], header: X-Forwarded-For, hops: 2}]"
		real = "trustedProxies: [{from: 10.0.0.1, header: x-real-ip}]"
		fwd  = "trustedProxies: [{from: ['fd00::/8', 10.0.0.0/8], header: Forwarded}]"
		old  = "trustedProxies: [{from: cloudflare, header: [CF-Connecting-IP, X-Real-IP]}]"
	)
	type h []struct{ Name, Value string }
	for _, c := range []struct {
		name, yaml, peer string
		header           h
		want             Seen
	}{
		{"nobody is trusted", "{}", "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}}, seen("10.0.0.1", "", false, "")},
		{"a stranger is not", xff, "11.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}}, seen("11.0.0.1", "", false, "")},
		{"the one header counts", cf, "104.16.0.9:5", h{{"CF-Connecting-IP", "203.0.113.7"}, {"X-Forwarded-For", "9.9.9.9"}, {"X-Forwarded-Proto", "https"}}, seen("203.0.113.7", "https", true, "")},
		{"another header does not", cf, "104.16.0.9:5", h{{"X-Forwarded-For", "9.9.9.9"}}, seen("104.16.0.9", "", true, Missing)},
		{"an alias of the header does not", cf, "104.16.0.9:5", h{{"CF_Connecting_IP", "9.9.9.9"}}, seen("104.16.0.9", "", true, Missing)},
		{"twice is none", cf, "104.16.0.9:5", h{{"CF-Connecting-IP", "1.1.1.1"}, {"cf-connecting-ip", "1.1.1.1"}}, seen("104.16.0.9", "", true, Repeated)},
		{"two addresses are none", cf, "104.16.0.9:5", h{{"CF-Connecting-IP", "1.1.1.1, 2.2.2.2"}}, seen("104.16.0.9", "", true, Unreadable)},
		{"a port is too much for it", real, "10.0.0.1:5", h{{"X-Real-IP", "1.1.1.1:80"}}, seen("10.0.0.1", "", true, Unreadable)},
		{"a zone is refused", real, "10.0.0.1:5", h{{"X-Real-IP", "fe80::1%eth0"}}, seen("10.0.0.1", "", true, Unreadable)},
		{"the peer may come as IPv4 in IPv6", real, "[::ffff:10.0.0.1]:5", h{{"X-Real-IP", "::ffff:1.2.3.4"}}, seen("1.2.3.4", "", true, "")},
		{"a unix socket's peer is nobody's proxy", xff, "", h{{"X-Forwarded-For", "1.2.3.4"}}, Seen{}},
		{"the first untrusted from the right", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.3,10.0.0.2"}}, seen("1.2.3.4", "", true, "")},
		{"what stands left of it is not read", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "\"<script>,,, 1.2.3.4"}}, seen("1.2.3.4", "", true, "")},
		{"garbage on the way is none", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4, unknown, 10.0.0.3"}}, seen("10.0.0.1", "", true, Unreadable)},
		{"all trusted: the leftmost", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "10.0.0.9, 10.0.0.3"}}, seen("10.0.0.9", "", true, "")},
		{"with ports and brackets", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "[2001:db8::1]:443, 10.0.0.3:1"}}, seen("2001:db8::1", "", true, "")},
		{"two lines are none", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-For", "1.2.3.4"}}, seen("10.0.0.1", "", true, Repeated)},
		{"empty is none", xff, "10.0.0.1:5", h{{"X-Forwarded-For", ""}}, seen("10.0.0.1", "", true, Unreadable)},
		{"hops count from the right", hops, "10.0.0.1:5", h{{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 5.5.5.5"}}, seen("1.2.3.4", "", true, "")},
		{"fewer places than hops", hops, "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}}, seen("10.0.0.1", "", true, Unreadable)},
		{"Forwarded", fwd, "[fd00::1]:5", h{{"Forwarded", `for=6.6.6.6, For="[2001:db8::17]:4711";proto=https;by=10.0.0.3`}}, seen("2001:db8::17", "https", true, "")},
		{"Forwarded: an open quote on the left is a stranger's", fwd, "10.0.0.1:5", h{{"Forwarded", `for="x, for=1.2.3.4;proto=http`}}, seen("1.2.3.4", "http", true, "")},
		{"Forwarded: obfuscated", fwd, "10.0.0.1:5", h{{"Forwarded", `for=_hidden`}}, seen("10.0.0.1", "", true, Unreadable)},
		{"Forwarded: for twice", fwd, "10.0.0.1:5", h{{"Forwarded", `for=1.1.1.1;for=2.2.2.2`}}, seen("10.0.0.1", "", true, Unreadable)},
		{"Forwarded: X-Forwarded-Proto does not count beside it", fwd, "10.0.0.1:5", h{{"Forwarded", `for=1.1.1.1`}, {"X-Forwarded-Proto", "https"}}, seen("1.1.1.1", "", true, "")},
		{"the older list: first", old, "104.16.0.9:5", h{{"X-Real-IP", "2.2.2.2"}, {"CF-Connecting-IP", "1.1.1.1"}}, seen("1.1.1.1", "", true, "")},
		{"the older list: second", old, "104.16.0.9:5", h{{"X-Real-IP", "2.2.2.2"}}, seen("2.2.2.2", "", true, "")},
		{"a scheme that is none", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https,http"}}, seen("1.2.3.4", "", true, "")},
		{"a scheme twice", xff, "10.0.0.1:5", h{{"X-Forwarded-For", "1.2.3.4"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}, seen("1.2.3.4", "", true, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var peer netip.AddrPort
			if c.peer != "" {
				peer = netip.MustParseAddrPort(c.peer)
			}
			var header request.Header
			for _, f := range c.header {
				header = append(header, request.Field(f))
			}
			if got := trust(t, c.yaml).Resolve(peer, Spoken{}, header); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func seen(addr, scheme string, by bool, p Problem) Seen {
	return Seen{Client: netip.MustParseAddr(addr), Scheme: scheme, ByProxy: by, Problem: p}
}

// P8: whatever a stranger sends of the whole family changes nothing.
func TestStrangersAreNotBelieved(t *testing.T) {
	t.Parallel()
	tr := trust(t, "trustedProxies: [{from: cloudflare, header: CF-Connecting-IP}, 10.0.0.0/8, {from: '2001:db8::/32', header: Forwarded}]")
	names := []string{"CF-Connecting-IP", "X-Real-IP", "X-Forwarded-For", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host",
		"X-Forwarded-Scheme", "X-Forwarded-Port", "X-Original-URL", "X-Original-Host", "X-Rewrite-URL", "True-Client-IP", "X-Client-IP", "Via"}
	rapid.Check(t, func(t *rapid.T) {
		peer := netip.AddrPortFrom(netip.AddrFrom4([4]byte{
			198, 51, 100, rapid.Byte().Draw(t, "last")}), 4711)
		h := request.Header{}
		for range rapid.IntRange(0, 12).Draw(t, "fields") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			if rapid.Bool().Draw(t, "lower") {
				name = strings.ToLower(name)
			}
			value := rapid.OneOf(
				rapid.SampledFrom([]string{"127.0.0.1", "::1", "10.0.0.1", "for=127.0.0.1;proto=https", "https", "http", "10.0.0.1, 104.16.0.1", "localhost"}),
				rapid.StringN(0, 30, 60)).Draw(t, "value")
			h = append(h, request.Field{Name: name, Value: value})
		}
		if got, want := tr.Resolve(peer, Spoken{}, h), (Seen{Client: peer.Addr()}); got != want {
			t.Fatalf("a stranger's headers %v made it %+v", h, got)
		}
	})
}

// What a client writes can only stand left of what the trusted proxy appends,
// and never decides.
func TestClientsCannotMoveTheirAddress(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
		tr := trust(t, "trustedProxies: [{from: 10.0.0.0/8, header: "+header+"}]")
		rapid.Check(t, func(t *rapid.T) {
			left := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-f.:, "=;\\\[\]for]{0,40}`)).Draw(t, "left")
			appended := "203.0.113.9"
			if header == "Forwarded" {
				appended = "for=" + appended
			}
			got := tr.Resolve(netip.MustParseAddrPort("10.0.0.1:1"), Spoken{}, request.Header{{Name: header, Value: left + ", " + appended}})
			if got.Client.String() != "203.0.113.9" {
				t.Fatalf("%q made the client %v", left, got.Client)
			}
		})
	}
}

func TestConfigProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, yaml, want string }{
		{"no network", "trustedProxies: [office]", "neither a CIDR"},
		{"bits behind the prefix", "trustedProxies: [10.0.0.1/8]", "has address bits set behind the prefix"},
		{"cloudflare without header", "trustedProxies: [{from: cloudflare}]", "say which counts"},
		{"an unknown header", "trustedProxies: [{from: 10.0.0.1, header: X-Client-IP}]", "is none of"},
		{"a PROXY header and another", "trustedProxies: [{from: 10.0.0.1, header: [proxyProtocol, X-Forwarded-For]}]", "proxyProtocol stands alone"},
		{"a PROXY header and hops", "trustedProxies: [{from: 10.0.0.1, header: proxyProtocol, hops: 1}]", "names one client"},
		{"a PROXY header from Cloudflare", "trustedProxies: [{from: cloudflare, header: proxyProtocol}]", "speaks HTTP"},
		{"hops for a header without list", "trustedProxies: [{from: 10.0.0.1, header: X-Real-IP, hops: 1}]", "is for X-Forwarded-For"},
		{"no from", "trustedProxies: [{header: X-Real-IP}]", "from"},
		{"everybody", "trustedProxies: [0.0.0.0/0]", "warning"},
		{"a list of headers", "trustedProxies: [{from: cloudflare, header: [CF-Connecting-IP, X-Real-IP]}]", "warning"},
		{"a misspelt key", "trustedProxies: [{form: 10.0.0.1}]", `did you mean "from"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, doc := compile(t, c.yaml)
			var all []string
			for _, p := range doc.Problems() {
				all = append(all, p.String())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, c.want) {
				t.Errorf("problems %q do not say %q", text, c.want)
			}
		})
	}
}

func TestResolveAllocatesNothing(t *testing.T) {
	tr := trust(t, "trustedProxies: [10.0.0.0/8]")
	peer := netip.MustParseAddrPort("10.0.0.1:1")
	h := request.Header{{Name: "Host", Value: "a"}, {Name: "X-Forwarded-For", Value: "1.2.3.4, 10.0.0.9"}}
	if n := testing.AllocsPerRun(100, func() { tr.Resolve(peer, Spoken{}, h) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"1.2.3.4", `for="[::1]:80";proto=https`, ",", `"`, "[", "1.2.3.4:99999", "for=", ";;", strings.Repeat(",", 9)} {
		f.Add(s)
	}
	xff := trust(f, "trustedProxies: [10.0.0.0/8]")
	fwd := trust(f, "trustedProxies: [{from: 10.0.0.0/8, header: Forwarded}]")
	peer := netip.MustParseAddrPort("10.0.0.1:1")
	f.Fuzz(func(t *testing.T, s string) {
		for name, tr := range map[string]*Trust{"X-Forwarded-For": xff, "Forwarded": fwd} {
			got := tr.Resolve(peer, Spoken{}, request.Header{{Name: name, Value: s}})
			if !got.Client.IsValid() || got.Problem != "" && got.Client != peer.Addr() {
				t.Fatalf("%q: %+v", s, got)
			}
		}
	})
}
