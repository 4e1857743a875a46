package identity

import (
	"encoding/json"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

func newSecret(s string) (secret.Value, error) { return secret.New(s), nil }

func TestWhoseAddressesAreVerified(t *testing.T) {
	t.Parallel()
	plain := newOIDC("idp", "https://idp.example", "api")
	trusting := NewOIDC(&OIDCConfig{Name: "idp", Issuer: "https://idp.example", Audience: config.List[string]{"api"},
		TrustRules: TrustRules{TrustEmail: &TrustEmailConfig{Domains: config.List[string]{"Example.com"}}}}, issuerKeys("prod"))
	for _, c := range []struct {
		name     string
		provider *Provider
		change   []any
		want     string // folded, "" if not verified
	}{
		{"said to be", plain, []any{"email", "Ann@Example.COM", "email_verified", true}, "ann@example.com"},
		{"not said", plain, []any{"email", "ann@example.com"}, ""},
		{"said to be not", plain, []any{"email", "ann@example.com", "email_verified", false}, ""},
		{"said by a text", plain, []any{"email", "ann@example.com", "email_verified", "true"}, ""},
		{"said by a number", plain, []any{"email", "ann@example.com", "email_verified", 1}, ""},
		{"a trusted domain", trusting, []any{"email", "ann@EXAMPLE.com"}, "ann@example.com"},
		{"below a trusted domain", trusting, []any{"email", "ann@x.example.com"}, ""},
		{"a longer domain", trusting, []any{"email", "ann@badexample.com"}, ""},
		{"two at signs", trusting, []any{"email", "ann@evil.example@example.com"}, ""},
		{"two at signs, said to be", plain, []any{"email", `"a@b"@example.com`, "email_verified", true}, ""},
		{"no at sign", plain, []any{"email", "example.com", "email_verified", true}, ""},
		{"a blank", plain, []any{"email", "ann @example.com", "email_verified", true}, ""},
		{"a dot at the end", plain, []any{"email", "ann@example.com.", "email_verified", true}, ""},
		{"letters beyond ASCII are not folded", plain, []any{"email", "\u212aim@example.com", "email_verified", true}, "\u212aim@example.com"},
		{"null is no address", plain, []any{"email", json.RawMessage("null"), "email_verified", true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, site(t, nil, c.provider), withBearer(mint(rs(), oidcBody().with(c.change...))), clock)
			if r.Fault != nil {
				t.Fatal(r.Fault)
			}
			if r.Who.EmailFolded != c.want || r.Who.EmailVerified != (c.want != "") || (r.Who.EmailDomain == "") != (c.want == "") {
				t.Errorf("got %q (%v, %q), want %q", r.Who.EmailFolded, r.Who.EmailVerified, r.Who.EmailDomain, c.want)
			}
		})
	}
}

func TestMultiTenantIssuersAreKnown(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]bool{
		"https://login.microsoftonline.com/common/v2.0":                               true,
		"https://login.microsoftonline.com/organizations/v2.0":                        true,
		"https://LOGIN.microsoftonline.com/Common/discovery/v2.0/keys":                true,
		"https://login.microsoftonline.com/{tenantid}/v2.0":                           true,
		"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true,
		"https://sts.windows.net/":                                                    true,
		"https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0": false,
		"https://idp.example/common":                                                  false,
	} {
		if got := multiTenant(issuer); got != want {
			t.Errorf("%s: %v", issuer, got)
		}
	}
}
