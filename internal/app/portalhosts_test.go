package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/config"
)

// What check warns of where the portal and the API of escrow are hosts of one file,
// and where nobody could open a portal.
func TestAPortalThatCannotWorkIsWarnedOf(t *testing.T) {
	t.Parallel()
	const top = "environment: test\naccess: {teamDomain: acme.cloudflareaccess.com}\nsites:\n"
	const portal = "  - {hosts: [portal.example.com], access: {audience: p}, portal: {escrow: https://api.example.com}}\n"
	api := func(keys string) string { return "  - {hosts: [api.example.com], access: {audience: a}" + keys + "}\n" }
	for _, c := range []struct{ name, file, at, says string }{
		{"the usual case", top + portal + api(", escrow: {portalOrigin: https://portal.example.com}"), "", ""},
		{"case and port", top + "  - {hosts: [Portal.example.com], access: {audience: p}, portal: {escrow: \"https://API.example.com:8443\"}}\n" + api(", escrow: {portalOrigin: \"https://portal.Example.com:8443\"}"), "", ""},
		{"an API of another Portreeve", top + portal, "", ""},
		{"a host under a wildcard", top + "  - {hosts: [portal.example.com], access: {audience: p}, portal: {escrow: https://one.api.example.com}}\n" +
			"  - {hosts: [\"*.api.example.com\"], access: {audience: a}, escrow: {portalOrigin: https://portal.example.com}}\n", "", ""},
		{"the other's origin", top + portal + api(", escrow: {portalOrigin: https://old.example.com}"), "sites[0].portal.escrow",
			"api.example.com is a host of sites[1], whose escrow.portalOrigin is https://old.example.com and no host of this site: browsers refuse these pages its answers; write https://portal.example.com there"},
		{"no origin", top + portal + api(", escrow: {}"), "sites[0].portal.escrow",
			"api.example.com is a host of sites[1], which lets no page of another host call it; write escrow: {portalOrigin: https://portal.example.com} there"},
		{"no escrow", top + portal + api(""), "sites[0].portal.escrow", "api.example.com is a host of sites[1], which has no escrow: setting a key and revealing would get 404 there"},
		{"its own host", top + "  - {hosts: [api.example.com], access: {audience: p}, portal: {escrow: https://api.example.com}}\n", "sites[0].portal.escrow",
			"api.example.com is a host of this very site, which its pages call anyway; leave it out"},
		{"two hosts of the portal", top + "  - {hosts: [portal.example.com, desk.example.com], access: {audience: p}, portal: {escrow: https://api.example.com}}\n" +
			api(", escrow: {portalOrigin: https://desk.example.com}"), "sites[0].portal.escrow",
			"escrow.portalOrigin of sites[1] is https://desk.example.com: whoever opens this portal as portal.example.com can neither set a key nor reveal"},

		{"machines alone", "environment: test\nsites:\n  - {hosts: [portal.example.com], portal: {}}\n", "sites[0].portal",
			"nobody can open it: no provider of this site is for people; access, or oidc with a clientId and signIn, has them sign in"},
		{"a list of providers", "environment: test\naccess: {teamDomain: acme.cloudflareaccess.com, audience: a}\nproviders: [machine]\nportal: {}\n", "portal", "nobody can open it: no provider of this site is for people;"},
		{"an audience that is blank", "environment: test\naccess: {teamDomain: acme.cloudflareaccess.com, audience: \"\"}\nportal: {}\n", "portal", "nobody can open it: no provider of this site is for people (access is off: it has no audience);"},
		{"a link", "environment: test\nsession: {devLink: anna@example.com}\nportal: {}\n", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "portreeve.yaml")
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Check(Source{Path: path, Getenv: func(string) (string, bool) { return "", false }})
			if err != nil {
				t.Fatal(err)
			}
			var about []config.Problem
			for _, p := range r.Problems {
				if strings.Contains(p.Path, "portal") {
					about = append(about, p)
				}
			}
			if c.says == "" {
				if !r.OK || len(about) != 0 {
					t.Errorf("problems: %+v", r.Problems)
				}
				return
			}
			if !r.OK || len(about) != 1 || about[0].Path != c.at || !strings.HasPrefix(about[0].Message, c.says) {
				t.Errorf("problems: %+v", r.Problems)
			}
		})
	}
}
