package standin

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const team = "demo.cloudflareaccess.com"

func access(t *testing.T, o AccessOptions) *Access {
	t.Helper()
	o.Team, o.Audience = team, "aud-of-the-app"
	o.ServiceTokens = []ServiceToken{{"robot.access", "the robot's secret"}, {"unset.access", ""}}
	a, err := NewAccess(loopback(t), o)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, a)
	return a
}

func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCertsHaveAccessShapeAndVerifyItsTokens(t *testing.T) {
	t.Parallel()
	a := access(t, AccessOptions{})
	got := call(t, "GET", a.CertsURL(), "")
	var certs struct {
		jose.JSONWebKeySet
		PublicCert  certificate   `json:"public_cert"`
		PublicCerts []certificate `json:"public_certs"`
	}
	if err := json.Unmarshal([]byte(got.body), &certs); err != nil {
		t.Fatal(err)
	}
	if len(certs.Keys) != 2 || len(certs.PublicCerts) != 2 || certs.PublicCert != certs.PublicCerts[0] {
		t.Fatalf("got %s", got.body)
	}
	token, err := a.Mint("anna@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Verify(certs.Keys[0]); err != nil {
		t.Errorf("by the key: %v", err)
	}
	block, _ := pem.Decode([]byte(certs.PublicCert.Cert))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Verify(cert.PublicKey); err != nil {
		t.Errorf("by the certificate: %v", err)
	}
	if certs.PublicCert.Kid != parsed.Signatures[0].Header.KeyID {
		t.Error("the newest certificate is not the signing key's")
	}
}

func TestServiceTokenIsExchangedForAJWT(t *testing.T) {
	t.Parallel()
	a := access(t, AccessOptions{})
	tests := []struct {
		name   string
		header []string
		status int
	}{
		{"id and secret", []string{"CF-Access-Client-Id: robot.access", "CF-Access-Client-Secret: the robot's secret"}, 200},
		{"wrong secret", []string{"CF-Access-Client-Id: robot.access", "CF-Access-Client-Secret: guess"}, 403},
		{"another's id", []string{"CF-Access-Client-Id: x.access", "CF-Access-Client-Secret: the robot's secret"}, 403},
		{"a token without a secret opens nothing", []string{"CF-Access-Client-Id: unset.access", "CF-Access-Client-Secret: "}, 403},
		{"nothing", nil, 403},
		{"two ids", []string{"CF-Access-Client-Id: robot.access", "CF-Access-Client-Id: robot.access", "CF-Access-Client-Secret: the robot's secret"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := call(t, "POST", a.URL()+"/cdn-cgi/access/get-identity", "", tt.header...)
			if got.status != tt.status {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if tt.status != 200 {
				if strings.Count(got.body, ".") > 1 {
					t.Errorf("a refusal that carries a token: %s", got.body)
				}
				return
			}
			claims := payload(t, strings.TrimSpace(got.body))
			if claims["common_name"] != "robot.access" || claims["sub"] != "" || claims["email"] != nil || claims["iss"] != "https://"+team {
				t.Errorf("got %v", claims)
			}
		})
	}
}

func TestGetIdentityVerifiesTheCookie(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	a := access(t, AccessOptions{Now: func() time.Time { return at }})
	stranger := access(t, AccessOptions{Now: func() time.Time { return at }})
	mint := func(a *Access, extra map[string]any) string {
		token, err := a.Mint("anna@example.com", extra)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := mint(a, nil)
	tests := []struct {
		name, cookie string
		status       int
	}{
		{"its own token", good, 200},
		{"another team's key", mint(stranger, nil), 403},
		{"expired", mint(a, map[string]any{"exp": at.Unix()}), 403},
		{"without an expiry", mint(a, map[string]any{"exp": nil}), 403},
		{"another issuer", mint(a, map[string]any{"iss": "https://x"}), 403},
		{"cut", good[:len(good)-4], 403},
		{"no token", "", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if tt.cookie != "" {
				header = []string{"Cookie: CF_Authorization=" + tt.cookie}
			}
			got := call(t, "GET", a.URL()+"/cdn-cgi/access/get-identity", "", header...)
			if got.status != tt.status {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			if email := got.json(t)["email"]; (email == "anna@example.com") != (tt.status == 200) {
				t.Errorf("got %s", got.body)
			}
		})
	}
}
