package actions

import "testing"

func TestAWordCountsInCodeAlone(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		`exports.onExecutePostLogin = async (event, api) => { api.idToken.setCustomClaim("a", 1); };`:                 true,
		`exports.onExecutePostLogin = async (event, { idToken: { setCustomClaim } }) => { setCustomClaim("a", 1); };`: true,
		"// setCustomClaim is not for us\nexports.onExecutePostLogin = async () => {};":                               false,
		`exports.onExecutePostLogin = async () => { /* setCustomClaim */ };`:                                          false,
	} {
		if got := Uses(Script{Name: "a.js", Source: source}, PostLogin, "setCustomClaim"); got != want {
			t.Errorf("%v of %s", got, source)
		}
	}
}
