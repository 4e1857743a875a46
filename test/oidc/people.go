package oidc

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/peer"
)

// People is a running provider at which people sign in: any name is an account,
// name@example.com its verified e-mail, and any password is right. Its refresh
// tokens are good for one use, its access tokens for two seconds.
type People struct {
	Issuer string // http://127.0.0.1:port
}

// StartPeople runs such a provider on a free loopback port until the test ends.
func StartPeople(t testing.TB) *People {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "people.mjs")
	cmd.Dir = peer.Node(t, "oidc-provider", "jose")
	s, err := run(t, cmd)
	if err != nil {
		t.Fatalf("start the OpenID provider: %v", err)
	}
	return &People{Issuer: s.Issuer}
}

// Client is a Portreeve as the provider knows it.
type Client struct {
	ID       string `json:"id"`
	Secret   string `json:"secret"`
	Origin   string `json:"origin"`   // http://localhost:port
	Provider string `json:"provider"` // what Portreeve calls the provider
	Silent   bool   `json:"silent"`   // tells auth_time only where it is asked for
}

// Add registers a client, with the addresses of its sign-in, log-out and
// back-channel log-out.
func (p *People) Add(t testing.TB, c Client) { t.Helper(); p.tell(t, "/test/client", c) }

// Down has the provider close every connection that asks for a path that begins
// so; "" serves again.
func (p *People) Down(t testing.TB, path string) {
	t.Helper()
	p.tell(t, "/test/down", map[string]string{"path": path})
}

// Refreshes counts the refresh tokens that were taken and those that were refused.
func (p *People) Refreshes(t testing.TB) (good, bad int) {
	t.Helper()
	res, err := (&http.Client{Timeout: 20 * time.Second}).Get(p.Issuer + "/test/refreshes")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var n struct{ Good, Bad int }
	if err := json.NewDecoder(res.Body).Decode(&n); err != nil {
		t.Fatal(err)
	}
	return n.Good, n.Bad
}

func (p *People) tell(t testing.TB, path string, what any) {
	t.Helper()
	body, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: 20 * time.Second}).Post(p.Issuer+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("the provider answered %s to %s", res.Status, path)
	}
}
