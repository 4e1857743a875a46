package actions

import (
	"encoding/json"
	"os"
	"testing"
)

// engine is one that ends with the test.
func engine(t testing.TB, o Options) *Engine {
	t.Helper()
	e := New(o)
	t.Cleanup(e.Close)
	return e
}

func shipped(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("../../actions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSmoke(t *testing.T) {
	e := engine(t, Options{})
	lacks, err := e.Probe(t.Context())
	t.Log(lacks, err)
	out, err := e.Run(t.Context(), PostLogin, []Script{{Name: "mfa_action.js", Source: shipped(t, "mfa_action.js")}}, json.RawMessage(`{"user":{"app_metadata":{"auth_require_mfa":true}},"stats":{"logins_count":3}}`))
	t.Logf("%+v %v", out, err)
}
