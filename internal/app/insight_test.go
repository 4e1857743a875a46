package app

import (
	"strings"
	"testing"
)

const toldFile = `environment: test
sites:
  - {hosts: [portal.example], portal: {}, jwt: {secret: "{{file.secret}}"}}
  - {hosts: [go.example], links: {scheme: example, fallback: {ios: "https://apps.example/1", android: "https://play.example/1"}, rules: [{match: /a, to: "example://a"}]}}
  - hosts: [sms.example]
    sms:
      origins: [https://example.com]
      regions: [US]
      twilio: {accountSid: AC00112233445566778899aabbccddeeff, authToken: "{{file.secret}}", messagingServiceSid: MG00112233445566778899aabbccddeeff}
      campaigns: {default: Get the app}
`

// TestAProcessTellsOfItself: what its operators may see of the configuration in
// service, and how it is, also after a reload.
func TestAProcessTellsOfItself(t *testing.T) {
	t.Parallel()
	s := serveFile(t, toldFile, "secret", secret32)
	for generation := range uint64(2) {
		node, events := s.app.insightNode(), s.app.insightEvents()
		f := node.File()
		if f.Generation != generation+1 || f.Environment != "test" || !strings.Contains(f.Text, "portal.example") || !strings.Contains(f.Text, "{{file.secret}}") || strings.Contains(f.Text, secret32) {
			t.Errorf("%+v", f)
		}
		if l := node.Links(); len(l) != 1 || l[0].Site != "go.example" || l[0].RuleCount != 1 {
			t.Errorf("%+v", l)
		}
		if x := node.Texts(); len(x) != 1 || x[0].Site != "sms.example" || x[0].Campaigns[0].Text != "Get the app" || node.SMS() == nil {
			t.Errorf("%+v", x)
		}
		if st := node.Store(); st == nil || st.Engine != "sqlite" || node.Keys() == nil || len(node.Keys().IDs()) != 1 {
			t.Errorf("%+v", st)
		}
		if db, log := events.Trail(); db == nil || log == nil {
			t.Error("nothing is recorded")
		}
		if from, err := events.Checkpoints(); from != nil || err != nil {
			t.Errorf("%v, %v", from, err)
		}
		if err := s.app.Reload(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutThePortalTheTextIsNotKept(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\nroutes: [{path: /a, method: get, data: {}}]\n")
	if f := s.app.insightNode().File(); f.Text != "" || f.Generation != 1 {
		t.Errorf("%+v", f)
	}
}
