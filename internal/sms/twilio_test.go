package sms

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/test/peer"
)

// What we send is what Twilio's own client for Node sends, byte for byte, and what
// the stand-in answers is what that client reads.
func TestTheSameBytesAsTwiliosOwnClient(t *testing.T) {
	t.Parallel()
	dir := peer.Node(t, "twilio")
	for _, text := range []string{
		"Get the app: https://example.com/app?a=1&b=2#c",
		"Zwei\nZeilen, 100 % + „Gänsefüßchen“ (!*'~) [a;b] \U0001F600 <\\>",
		"a",
	} {
		r := open(t, storetest.SQLite(t))
		c := r.configured("")
		c.Campaigns["default"] = text
		r.node(c, Place{}).text(visitor, "", mobile).sent(t)
		asked, _ := json.Marshal(map[string]string{"origin": r.twilio.URL(), "accountSid": account, "authToken": token, "messagingServiceSid": service, "to": mobile, "body": text})
		cmd := exec.CommandContext(t.Context(), "node", "twilio.mjs", string(asked))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var read struct{ SID, Status string }
		if err := json.Unmarshal(out, &read); err != nil || len(read.SID) != 34 || read.Status != "accepted" {
			t.Errorf("Twilio's client read %s", out)
		}
		seen := r.twilio.Seen()
		if len(seen) != 2 {
			t.Fatalf("%d requests", len(seen))
		}
		if diff := cmp.Diff(bytesOf(seen[1]), bytesOf(seen[0])); diff != "" {
			t.Errorf("%q: (-Twilio's +ours)\n%s", text, diff)
		}
	}
}

// bytesOf is what of a request has a meaning to Twilio.
func bytesOf(s standin.Sent) []string {
	return []string{s.Method + " " + s.Path + "?" + s.Query, string(s.Body),
		s.Header.Get("Content-Type"), s.Header.Get("Authorization"), s.Header.Get("Accept"), s.Header.Get("Accept-Charset")}
}
