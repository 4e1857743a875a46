package standin

import (
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const formType = "Content-Type: application/x-www-form-urlencoded"

func issuer(t *testing.T, o IssuerOptions) *Issuer {
	t.Helper()
	if o.Clients == nil {
		o.Clients = []Client{{
			ID: "robot", Secret: "the robot's secret", Audiences: []string{"orders", "stock"},
			Scopes: []string{"read", "write"}, Claims: map[string]any{"roles": []string{"editor"}, "iss": "forged"},
		}, {ID: "unset"}}
	}
	i, err := NewIssuer(loopback(t), o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, i)
	return i
}

// go-oidc is a relying party that others rely on: what it takes is a token.
func TestAnIndependentRelyingPartyAcceptsTheTokens(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			i := issuer(t, IssuerOptions{Alg: alg})
			p, err := oidc.NewProvider(t.Context(), i.URL())
			if err != nil {
				t.Fatal(err)
			}
			v := p.Verifier(&oidc.Config{ClientID: "orders"})
			got := call(t, "POST", i.URL()+"/token",
				"grant_type=client_credentials&client_id=robot&client_secret=the+robot%27s+secret", formType)
			if got.status != 200 || got.header.Get("Cache-Control") != "no-store" {
				t.Fatalf("got %+v", got)
			}
			token, _ := got.json(t)["access_token"].(string)
			id, err := v.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct {
				Scope string
				Roles []string
			}
			if err := id.Claims(&claims); err != nil {
				t.Fatal(err)
			}
			if id.Subject != "robot" || claims.Scope != "read write" || len(claims.Roles) != 1 || id.Issuer != i.URL() {
				t.Errorf("got %+v %+v", id, claims)
			}
		})
	}
}

func TestTokenEndpointChecksWhatItIsSent(t *testing.T) {
	t.Parallel()
	i := issuer(t, IssuerOptions{})
	const ok = "grant_type=client_credentials&client_id=robot&client_secret=the+robot%27s+secret"
	const basic = "Authorization: Basic cm9ib3Q6dGhlK3JvYm90JTI3cytzZWNyZXQ=" // robot:the+robot%27s+secret
	tests := []struct {
		name, query, body string
		header            []string
		status            int
		code              string
	}{
		{"secret in the body", "", ok, []string{formType}, 200, ""},
		{"secret by Basic", "", "grant_type=client_credentials", []string{formType, basic}, 200, ""},
		{"secret both ways", "", ok, []string{formType, basic}, 400, "invalid_request"},
		{"another name in the body than in Basic", "", "grant_type=client_credentials&client_id=other", []string{formType, basic}, 400, "invalid_request"},
		{"JSON", "", `{"grant_type":"client_credentials"}`, []string{"Content-Type: application/json"}, 400, "invalid_request"},
		{"no content type", "", ok, nil, 400, "invalid_request"},
		{"parameters in the query", "?" + ok, ok, []string{formType}, 400, "invalid_request"},
		{"a parameter twice", "", ok + "&scope=read&scope=write", []string{formType}, 400, "invalid_request"},
		{"wrong secret", "", "grant_type=client_credentials&client_id=robot&client_secret=guess", []string{formType}, 401, "invalid_client"},
		{"no secret", "", "grant_type=client_credentials&client_id=robot", []string{formType}, 401, "invalid_client"},
		{"a client without a secret gets nothing", "", "grant_type=client_credentials&client_id=unset&client_secret=", []string{formType}, 401, "invalid_client"},
		{"unknown client", "", "grant_type=client_credentials&client_id=x&client_secret=y", []string{formType}, 401, "invalid_client"},
		{"another grant", "", "grant_type=password&client_id=robot&client_secret=the+robot%27s+secret", []string{formType}, 400, "unsupported_grant_type"},
		{"a scope it does not have", "", ok + "&scope=read+admin", []string{formType}, 400, "invalid_scope"},
		{"a resource it does not have", "", ok + "&resource=payroll", []string{formType}, 400, "invalid_target"},
		{"two resources", "", ok + "&resource=orders&resource=stock", []string{formType}, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := call(t, "POST", i.URL()+"/token"+tt.query, tt.body, tt.header...)
			code, _ := got.json(t)["error"].(string)
			if got.status != tt.status || code != tt.code {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	if got := call(t, "GET", i.URL()+"/token", ""); got.status != 405 {
		t.Errorf("GET: got %d", got.status)
	}
}

func TestRotationKeepsTheOldKeyUntilItIsRetired(t *testing.T) {
	t.Parallel()
	i := issuer(t, IssuerOptions{Alg: "ES256"})
	verify := func(token string) error {
		p, err := oidc.NewProvider(t.Context(), i.URL())
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Verifier(&oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{"ES256"}}).Verify(t.Context(), token)
		return err
	}
	old, err := i.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.Rotate(); err != nil {
		t.Fatal(err)
	}
	young, err := i.Mint(nil)
	if err != nil {
		t.Fatal(err)
	}
	if verify(old) != nil || verify(young) != nil {
		t.Error("while both keys are published, both tokens hold")
	}
	i.Retire()
	if verify(old) == nil || verify(young) != nil {
		t.Error("after the old key is retired, only the new token holds")
	}
	if i.Fetched() != 4 {
		t.Errorf("the key set was fetched %d times, want 4", i.Fetched())
	}
}

func TestAnOutageIsTotalAndEnds(t *testing.T) {
	t.Parallel()
	i := issuer(t, IssuerOptions{Alg: "EdDSA"})
	i.Outage(true)
	for _, path := range []string{"/jwks", "/.well-known/openid-configuration"} {
		if got := call(t, "GET", i.URL()+path, ""); got.status != 503 {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	i.Outage(false)
	if got := call(t, "GET", i.URL()+"/jwks", ""); got.status != 200 || i.Fetched() != 1 {
		t.Errorf("got %d, fetched %d", got.status, i.Fetched())
	}
}

func TestMintLeavesOutWhatIsNil(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	i := issuer(t, IssuerOptions{Alg: "EdDSA", Now: func() time.Time { return at }})
	token, err := i.Mint(map[string]any{"exp": nil, "sub": "anna", "n": 7})
	if err != nil {
		t.Fatal(err)
	}
	got := payload(t, token)
	if got["sub"] != "anna" || got["n"] != 7.0 || got["iat"] != 1.8e9 || got["iss"] != i.URL() {
		t.Errorf("got %v", got)
	}
	if _, there := got["exp"]; there {
		t.Errorf("exp was to be left out: %v", got)
	}
}
