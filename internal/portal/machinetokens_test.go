package portal_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

var shownToken = regexp.MustCompile(`tok_[0-9A-Za-z_-]{32}`)

func TestAMachineTokensLifeOnPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	olga := h.signedIn()
	olga.see("/machine-tokens").says("No machine tokens yet")
	made := olga.post("/machine-tokens/new", "name", hostileMarkup, "allowedIPs", "10.0.0.0/8\n127.0.0.1").is(200).says("shown this once", "Try it").inert(hostileMarkup)
	first := shownToken.FindString(made.body)
	if first == "" || !strings.Contains(html.UnescapeString(made.body), `curl -H "Authorization: Bearer `+first+`" `+h.url+"/.portreeve/whoami") {
		t.Errorf("no line to try it with: %s", made.words())
	}
	machine := h.nobody()
	machine.fields.Set("Authorization", "Bearer "+first)
	machine.api("GET", "/.portreeve/whoami", nil, nil)

	list := olga.see("/machine-tokens").inert(hostileMarkup).hides(first)
	at := regexp.MustCompile(`/machine-tokens/mch_[^"]+`).FindString(list.body)
	if at == "" {
		at = regexp.MustCompile(`href="(/machine-tokens/[^"/]+)"><`).FindString(list.body)
		t.Fatalf("the list leads to no token: %q", at)
	}
	olga.see(at).says("active", "10.0.0.0/8", "olga@example.com").hides(first)
	olga.see("/machine-tokens?search=no-such").says("No token matches")

	turned := olga.post(at+"/rotate", "grace", "3600").is(200).says("The one before ends")
	second := shownToken.FindString(turned.body)
	if second == first || second == "" {
		t.Errorf("a rotation shows %q after %q", second, first)
	}
	olga.see(at + "/revoke").says("cannot be undone")
	olga.post(at + "/revoke").follow().says("Revoked.")
	machine.fields.Set("Authorization", "Bearer "+second)
	if p := machine.get("/.portreeve/whoami"); p.status != 401 {
		t.Errorf("a revoked token: %d", p.status)
	}
	olga.get(at).is(404)
	olga.see("/machine-tokens?state=revoked").inert(hostileMarkup)
}

func TestMachineTokensAreForWhoMayMakeThem(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.signedIn().id("/tenant/machine-tokens", map[string]any{"name": "engine"})
	member := h.as("m", "member")
	member.see("/machine-tokens").says("engine", "machines:write").hides("Make a machine token</a>")
	member.see("/machine-tokens/"+id).says("apikeys:write").hides("/revoke", "/rotate")
	member.see("/machine-tokens/" + id + "/revoke").hides("<form class=\"form\"")
	h.as("v", "viewer").get("/machine-tokens").locked("apikeys:read")
	h.as("x", "admin").post("/machine-tokens/new", "name", "", "expires", "soon").is(422).says("Must be a day")
	h.as("x", "admin").post("/machine-tokens/new", "name", "x", "allowedIPs", "here").is(422).says(`"here" must be an address`)
}
