package docs_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/portreeve/portreeve/internal/standin"
)

// Other people's services, as the pages address them.
const (
	auth0Address  = "127.0.0.1:9020"
	castleAddress = "127.0.0.1:9021"
	usersAddress  = "127.0.0.1:9022"
)

// deviceTokens is how many files device-N a page finds, each a header field with a
// token as Castle's script in an application makes it.
const deviceTokens = 9

// loginServices starts stand-ins for who is asked at a sign-in, with the people of
// the pages; it returns what replaces the addresses of the pages.
func loginServices(t *testing.T, dir, gate string) []string {
	t.Helper()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	al, cl, ul := listen(), listen(), listen()
	auth0, err := standin.NewAuth0(al, standin.Auth0Options{
		Clients:   []standin.Client{{ID: "edge", Secret: "edge-secret"}, {ID: "mails", Secret: "mails-secret", Scopes: []string{"read:users", "update:users"}}},
		Audiences: []string{"https://api.example.com"}, Callbacks: []string{"http://" + gate + "/social/callback"},
		Social: map[string]string{"google-oauth2": "ann@example.com"},
		People: []standin.Person{{Email: "ann@example.com", Password: "correct horse", Verified: true}, {Email: "eve@example.com", Password: "correct horse", MFA: true},
			{Email: "bob@example.com", Password: "correct horse"}, {Email: "mallory@example.com", Password: "correct horse"}, {Email: "dan@example.com", Password: "correct horse"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	castle := standin.NewCastle(cl, standin.CastleOptions{APISecret: "castle-secret"})
	castle.Act("mallory@example.com", "deny")
	users := standin.NewUserService(ul, standin.UserServiceOptions{Region: "us-east-1", Service: "execute-api", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "aws-secret",
		Users: []standin.User{{ID: "u-ann", Email: "ann@example.com", Status: "active", Plan: "gold"}, {ID: "u-dan", Email: "dan@example.com", Status: "blocked"}}})
	t.Cleanup(func() { _, _, _ = auth0.Close(), castle.Close(), users.Close() })
	for i := range deviceTokens {
		field := "X-Castle-Request-Token: " + castle.Token() + "\n"
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("device-%d", i+1)), []byte(field), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{auth0Address, al.Addr().String(), castleAddress, cl.Addr().String(), usersAddress, ul.Addr().String()}
}
