// Package oidc starts a real OpenID provider for tests: the certified npm
// oidc-provider, which shares no code with Portreeve. Its tokens are what
// Portreeve must accept in the field; internal/standin is for what a real
// provider cannot be made to do.
package oidc

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/test/peer"
)

// Server is a running provider. Every token it issues carries
// roles ["editor"] and tenant_id "acme".
type Server struct {
	Issuer string `json:"issuer"` // http://127.0.0.1:port
	Client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	} `json:"client"`
	// Algs is every resource that the client may ask for, with the algorithm
	// that its tokens are signed with: RS256, PS256, ES256 and EdDSA.
	Algs map[string]string `json:"algs"`
}

// Start runs a provider on a free loopback port until the test ends. Where the
// npm packages are not installed it skips the test: see peer.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, "")
}

// StartFor is Start with a client that people sign in by.
func StartFor(t testing.TB, c Web) *Server {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, string(b))
}

func start(t testing.TB, web string) *Server {
	t.Helper()
	dir := peer.Node(t, "oidc-provider", "jose")
	cmd := exec.CommandContext(t.Context(), "node", "provider.mjs")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PROVIDER_WEB="+web)
	s, err := run(t, cmd)
	if err != nil {
		t.Fatalf("start the OpenID provider: %v", err)
	}
	return s
}

// run starts cmd and reads the line that says it is ready. The process ends
// when its standard input does, so it cannot outlive a killed test either.
func run(t testing.TB, cmd *exec.Cmd) (*Server, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // killed by the test's context, or ended by stdin's end
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		_ = stdin.Close()
		return nil, fmt.Errorf("it said nothing (%w):\n%s", errors.Join(err, cmd.Wait()), complaints.String())
	}
	s := &Server{}
	return s, json.Unmarshal(line, s)
}

// Token fetches an access token for resource by the client credentials grant.
// scope may be "" or any of "orders:read orders:write".
func (s *Server) Token(ctx context.Context, resource, scope string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {resource}}
	if scope != "" {
		form.Set("scope", scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(s.Client.ID, s.Client.Secret)
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", err
	}
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &got); err != nil || res.StatusCode != http.StatusOK || got.Token == "" {
		return "", fmt.Errorf("the token endpoint answered %s: %s", res.Status, body)
	}
	return got.Token, nil
}
