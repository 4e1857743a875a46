package apikey

import (
	"net/netip"
	"testing"
)

// A key that was made by a key is used from nowhere where that one may not be.
func TestAKeysNetworksBoundThoseItMade(t *testing.T) {
	both(t, func(t *testing.T, k *kit) {
		parent := draft("docs:read", "apikeys:write", "apikeys:read")
		parent.AllowedIPs = set([]string{"10.0.0.0/8", "2001:db8::/32"})
		above := k.create(host(), parent)
		for name, c := range map[string]struct {
			own         []string
			in, outside string // "": nowhere
		}{
			"none of its own": {nil, "10.1.2.3", "192.0.2.7"},
			"wider":           {[]string{"10.0.0.0/7", "192.0.2.0/24"}, "10.1.2.3", "192.0.2.7"},
			"narrower":        {[]string{"10.1.0.0/16"}, "10.1.2.3", "10.2.0.1"},
			"elsewhere":       {[]string{"192.0.2.0/24"}, "", "192.0.2.7"},
		} {
			d := draft("docs:read")
			if c.own != nil {
				d.AllowedIPs = set(c.own)
			}
			made := k.create(k.asKey(above.Token.Reveal()), d)
			who, err := k.s.Verify(t.Context(), made.Token.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			f := k.facts(who)
			if c.in == "" {
				if f.Refuse != ErrNowhere {
					t.Errorf("%s: %v", name, f.Refuse)
				}
				continue
			}
			if f.Refuse != nil || !f.Grant.Admits(netip.MustParseAddr(c.in), false) || f.Grant.Admits(netip.MustParseAddr(c.outside), false) {
				t.Errorf("%s: %v, %v", name, f.Grant.AllowedIPs, f.Refuse)
			}
		}
	})
}
