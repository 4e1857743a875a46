package portal_test

import (
	"regexp"
	"testing"
)

func TestTheEscrowKeyAsItStands(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.admin.see("/escrow").says("No key yet", "Set up escrow").holds(`href="/escrow/setup"`)
	for _, r := range []*reader{f.member, f.viewer} {
		r.see("/escrow").says("No key yet", "Until an administrator").says("This needs the permission escrow:admin").hides(`href="/escrow/setup"`)
	}
	f.admin.see("/escrow/setup").says("Choose the passphrase", "break-glass scheme", "This page needs scripts").holds("/escrow-steps.js", `data-flow="setup"`, `data-tenant="main"`)
	for _, path := range []string{"/escrow/passphrase", "/escrow/rotate", "/escrow/recover"} {
		f.admin.see(path).says("No key yet").hides("/escrow-steps.js")
	}

	f.key()
	f.admin.see("/escrow").says("Signer to pin", "RSA, 3072 bits", "Pin the signer", "signatures are checked in your browser").hides("No key yet", "is imported", ", imported", "weaker").
		holds(`href="/escrow/passphrase"`, `href="/escrow/rotate"`, `href="/escrow/recover"`, "/escrow-key.js")
	f.member.see("/escrow").says("Signer to pin", "ten times an hour").hides(`href="/escrow/rotate"`, `href="/escrow/recover"`)
	f.viewer.see("/escrow").says("Signer to pin").says("This needs the permission escrow:reveal")
	f.admin.see("/escrow/setup").says("There is a key already").hides("/escrow-steps.js")
	for _, path := range []string{"/escrow/passphrase", "/escrow/rotate", "/escrow/recover"} {
		f.admin.see(path).holds("/escrow-steps.js")
		f.member.see(path).says("This needs the permission escrow:admin").hides("/escrow-steps.js")
	}
	f.as("stranger@example.com", "admin").get("/escrow").is(403)
	f.nobody().get("/escrow").is(401)
}

// What is typed on these pages cannot be sent by a form, be kept by a browser, or
// come back by a history: inputs of secrets have no name.
func TestSecretInputsHaveNoName(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	inputs := regexp.MustCompile(`<(?:input|textarea)[^>]*>`)
	forms := regexp.MustCompile(`<form class="panel step"[^>]*(?:action|method)=`)
	see := func(path string) {
		p := f.admin.see(path)
		for _, in := range inputs.FindAllString(p.body, -1) {
			switch {
			case regexp.MustCompile(`type="(?:radio|checkbox)"`).MatchString(in):
			case regexp.MustCompile(`\sname=`).MatchString(in):
				t.Errorf("%s: %s", path, in)
			case !regexp.MustCompile(`autocomplete="off"`).MatchString(in):
				t.Errorf("%s: a browser may keep %s", path, in)
			}
		}
		if forms.MatchString(p.body) {
			t.Errorf("%s: a form can be sent", path)
		}
	}
	see("/escrow/setup")
	f.key()
	for _, path := range []string{"/escrow", "/escrow/passphrase", "/escrow/rotate", "/escrow/recover"} {
		see(path)
	}
}
