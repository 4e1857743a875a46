package principal

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFoldEmail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, folded, domain string }{
		{"Alice@Example.COM", "alice@example.com", "example.com"},
		{"a@b", "a@b", "b"},
		{"a@example.com.", "a@example.com", "example.com"},
		{"a+tag@example.com", "a+tag@example.com", "example.com"},
		{"\u212A@example.com", "\u212A@example.com", "example.com"}, // the Kelvin sign is no k
		{"É@example.com", "É@example.com", "example.com"},
		{"", "", ""}, {"a", "", ""}, {"@b", "", ""}, {"a@", "", ""}, {"a@.", "", ""},
		{"a@b@c", "", ""}, {"a@evil.com@example.com", "", ""},
		{"a b@c", "", ""}, {"a@c\n", "", ""}, {"a@c\x00", "", ""}, {"a\x7f@c", "", ""}, {" a@c", "", ""},
		{strings.Repeat("a", 250) + "@b.cc", "", ""},
	} {
		folded, domain, ok := FoldEmail(c.in)
		if folded != c.folded || domain != c.domain || ok != (c.folded != "") {
			t.Errorf("FoldEmail(%q) = %q, %q, %v", c.in, folded, domain, ok)
		}
	}
}

// P5: one address, one form; and two that differ in more than ASCII case stay two.
func TestFoldingIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`[A-Za-z0-9.@ +é-]{0,20}`).Draw(t, "address")
		folded, domain, ok := FoldEmail(in)
		if !ok {
			return
		}
		again, domain2, ok2 := FoldEmail(folded)
		upper, _, _ := FoldEmail(strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return r - 32
			}
			return r
		}, in))
		if !ok2 || again != folded || domain2 != domain || upper != folded || !strings.HasSuffix(folded, "@"+domain) || strings.Count(folded, "@") != 1 {
			t.Fatalf("%q folds to %q, then to %q; in capitals to %q", in, folded, again, upper)
		}
	})
}

func TestWhoSomebodyIs(t *testing.T) {
	t.Parallel()
	var none *Principal
	for _, c := range []struct {
		who  *Principal
		id   string
		auth bool
	}{
		{none, "", false},
		{Nobody(), "", false},
		{&Principal{Kind: User, Subject: "alice"}, "alice", true},
		{&Principal{Kind: Service, CommonName: "ci.access"}, "ci.access", true},
		{&Principal{Kind: User, Subject: "alice", CommonName: "x"}, "alice", true},
	} {
		if c.who.ID() != c.id || c.who.Authenticated() != c.auth {
			t.Errorf("%+v is %q, authenticated %v", c.who, c.who.ID(), c.who.Authenticated())
		}
	}
}
