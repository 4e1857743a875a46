package escrow

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/store/storetest"
)

// What the portal's scripts ask of a site with requireMfa takes the step-up in its
// body, since the portal's origin may send no header for it; without one, and from
// whoever has no factor, it is refused.
func TestAFactorThatTheSiteAsksForStandsInTheBody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t), "escrow:reveal", "escrow:admin")
	for _, path := range []string{"/v1/secrets/none/reveal", "/v1/tenant/key/challenge", "/v1/tenant/key", "/v1/tenant/key/none/wrapping", "/v1/tenant/key/none/wrapping/1/remove"} {
		body := `{"reason":"disk replaced"}`
		if !strings.HasSuffix(path, "reveal") {
			body = `{"proof":"x"}`
		}
		with := func(token string) string { return strings.Replace(body, "{", `{"stepUp":"`+token+`",`, 1) }
		for who, sent := range map[string]string{"careful": body, "admin": with("shown"), "careful@other": with("shown")} {
			if status, _, text := h.ask(h.as(who), "POST "+path, sent, "Origin: "+portal); status != 403 {
				t.Errorf("%s %s by %s: %d %s", path, sent, who, status, text)
			}
		}
		if status, _, text := h.ask(h.as("careful"), "POST "+path, with("another"), "Origin: "+portal); status != 403 || !strings.Contains(text, "Second factor required") {
			t.Errorf("%s, another token: %d %s", path, status, text)
		}
		if status, _, text := h.ask(h.as("careful"), "POST "+path, with("shown"), "Origin: "+portal); status == 403 || status == 401 || status >= 500 {
			t.Errorf("%s, shown: %d %s", path, status, text)
		}
	}
	if status, _, text := h.ask(h.apiKey, "POST /v1/secrets/none/reveal", `{"reason":"x","stepUp":"shown"}`); status != 401 && status != 403 {
		t.Errorf("a key: %d %s", status, text)
	}
	h.want(404, h.as("careful"), "POST /v1/secrets/none/reveal", `{"reason":"disk replaced","stepUp":"shown"}`)
}
