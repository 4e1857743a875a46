package actions

import (
	"testing"
	"time"
)

func fixed() time.Time { return time.UnixMilli(1_800_000_000_000) }

func TestTheCacheIsAuth0s(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Now: fixed})
	out, err := one(t, e, `
		const seen = [];
		const note = (x) => seen.push(x === undefined ? "nothing" : x.type || x.value, x && (x.code || x.expires_at || (x.record && x.record.expires_at)) || 0);
		note(api.cache.get("k"));
		note(api.cache.set("k", "v"));
		note(api.cache.get("k"));
		note(api.cache.set("k", "w", { ttl: 1000, expires_at: 1800000000500 }));
		note(api.cache.set("y", "v", { ttl: 1e12 }));
		note(api.cache.set("k".repeat(65), "v"));
		note(api.cache.set("l", "v".repeat(4097)));
		note(api.cache.set("n", 42));
		note(api.cache.delete("k")); note(api.cache.delete("k"));
		for (let i = 0; i < 19; i++) api.cache.set("i" + i, "x");
		note(api.cache.set("one more", "x"));
		api.idToken.setCustomClaim("seen", seen.join(" "));`)
	if err != nil {
		t.Fatal(err)
	}
	want := `"nothing 0 success 1800000900000 v 1800000900000 success 1800000000500 success 1800086400000 error KeySizeExceeded error ValueSizeExceeded error InvalidValue success 0 error ItemNotFound error CacheSizeExceeded"`
	if got := string(out.IDToken["seen"]); got != want {
		t.Errorf("%s\n%s", got, want)
	}
	// Another run of the trigger reads it, another trigger does not.
	out, err = one(t, e, `api.idToken.setCustomClaim("y", api.cache.get("y").value)`)
	if err != nil || string(out.IDToken["y"]) != `"v"` {
		t.Errorf("%v %v", out, err)
	}
	out, err = e.Run(t.Context(), PreUserRegistration, []Script{{Name: "p.js", Source: `exports.onExecutePreUserRegistration = async (e, api) => api.user.setAppMetadata("y", api.cache.get("y") === undefined)`}}, struct{}{})
	if err != nil || string(out.AppMetadata["y"]) != "true" {
		t.Errorf("%v %v", out, err)
	}
}

// What one site's scripts keep is not another's, whose script of the same text may have
// other secrets.
func TestTheCacheIsOfOneSite(t *testing.T) {
	t.Parallel()
	e := engine(t, Options{Now: fixed})
	src := `exports.onExecutePostLogin = async (event, api) => {
		if (!api.cache.get("token")) api.cache.set("token", "of " + event.secrets.KEY);
		api.idToken.setCustomClaim("token", api.cache.get("token").value);
	}`
	for _, c := range []struct{ site, key, want string }{{"a", "1", `"of 1"`}, {"b", "2", `"of 2"`}, {"a", "3", `"of 1"`}} {
		out, err := e.Run(t.Context(), PostLogin, []Script{{Name: "p.js", Site: c.site, Source: src, Secrets: map[string]string{"KEY": c.key}}}, struct{}{})
		if err != nil || string(out.IDToken["token"]) != c.want {
			t.Errorf("%s: %v %v", c.site, out, err)
		}
	}
}
