package sms

import (
	"strings"
	"testing"
)

const whole = `origins: [https://example.com]
regions: [US]
twilio: {accountSid: AC00112233445566778899aabbccddeeff, authToken: "{{env.X}}", messagingServiceSid: MG00112233445566778899aabbccddeeff}
campaigns: {default: "Get the app"}`

func TestWhatIsWrongWithAFile(t *testing.T) {
	t.Parallel()
	good := strings.Replace(whole, `"{{env.X}}"`, "token", 1)
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"a URL", "[https://example.com]", "[https://example.com/app]", "sms.origins[0]: not an origin"},
		{"a host", "[https://example.com]", "[example.com]", "sms.origins[0]: not an origin"},
		{"a pattern", "[https://example.com]", `["https://*.example.com"]`, "sms.origins[0]: not an origin"},
		{"a port that goes without saying", "[https://example.com]", `["https://Example.com:443"]`, "browsers write this origin https://example.com"},
		{"letters", "[https://example.com]", `["https://bücher.example"]`, "xn--"},
		{"twice", "[https://example.com]", "[https://example.com, https://example.com]", "stands twice"},
		{"none", "origins: [https://example.com]", "origins: []", "sms.origins"},
		{"no country", "[US]", "[USA]", `"USA" is no country`},
		{"in small letters", "[US]", "[us]", `"us" is no country`},
		{"an API key for an account", "AC00112233445566778899aabbccddeeff", "SK00112233445566778899aabbccddeeff", "accountSid: is AC and 32"},
		{"a path in it", "AC00112233445566778899aabbccddeeff", `"AC/../x"`, "accountSid: is AC and 32"},
		{"too short", "MG00112233445566778899aabbccddeeff", "MG001122", "Twilio will refuse it"},
		{"a sender's number", "MG00112233445566778899aabbccddeeff", `"+14155552671"`, "messagingServiceSid: is MG and 32"},
		{"no secret", "authToken: token, ", "", "sms.twilio.authToken"},
		{"no campaign", `{default: "Get the app"}`, "{}", "sms.campaigns"},
		{"no text", `"Get the app"`, `" "`, "campaigns.default: has no text"},
		{"a long text", `"Get the app"`, `"` + strings.Repeat("ä", 1601) + `"`, "has 1601 characters"},
		{"the longest text", `"Get the app"`, `"` + strings.Repeat("ä", 1600) + `"`, ""},
		{"a dot in a name", "{default:", `{"spring.x":`, "a dot would end it"},
		{"a window of nothing", "regions:", "limits: {perNumber: {windowMs: 0, max: 1}}\nregions:", "windowMs"},
		{"no room", "regions:", "limits: {perDay: 0}\nregions:", "perDay: must be from 1"},
		{"half a limit", "regions:", "limits: {perIP: {windowMs: 1000}}\nregions:", "perIP.max"},
		{"a negative span", "regions:", "dedupeMs: -1\nregions:", "dedupeMs"},
		{"http to Twilio", "{accountSid", "{baseURL: http://twilio.example, accountSid", "baseURL: begins with https://"},
		{"turnstile without a secret", "regions:", "turnstile: {}\nregions:", "turnstile"},
		{"a host with a scheme", "regions:", "turnstile: {secret: x, hostnames: [https://example.com]}\nregions:", "hostnames[0]"},
		{"another key", "regions:", "perDay: 3\nregions:", "perDay: unknown key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := good
			if c.old != "" {
				if !strings.Contains(good, c.old) {
					t.Fatalf("no %q in the file", c.old)
				}
				text = strings.Replace(good, c.old, c.new, 1)
			}
			_, problems := parse(text, Place{})
			if all := strings.Join(problems, "\n"); c.want == "" && all != "" || !strings.Contains(all, c.want) || strings.Contains(all, "token\"") {
				t.Errorf("problems: %s", all)
			}
		})
	}
}

func TestStandardValues(t *testing.T) {
	t.Parallel()
	c, _ := parse(whole+"\nturnstile: {secret: x}", Place{})
	if c.DedupeMs != 600_000 || c.Twilio.BaseURL != "https://api.twilio.com" || c.Turnstile.BaseURL != "https://challenges.cloudflare.com/turnstile/v0" || c.Widget {
		t.Errorf("%+v", c)
	}
}
