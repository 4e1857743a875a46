package properties

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/secret"
)

// keys is the shared secret of a test's jwt provider.
type keys struct {
	secret string
	signer *jws.Signer
}

func newKeys(t testing.TB) *keys {
	t.Helper()
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	k := &keys{secret: base64.StdEncoding.EncodeToString(b[:])}
	var err error
	if k.signer, err = jws.NewSigner("HS256", "", secret.New(k.secret)); err != nil {
		t.Fatal(err)
	}
	return k
}

// files are those that the configuration names.
func (k *keys) files() map[string]string { return map[string]string{"jwt-secret": k.secret} }

// hs256 signs a token of ten minutes.
func (k *keys) hs256(t testing.TB, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"exp": time.Now().Add(10 * time.Minute).Unix()}
	maps.Copy(all, claims)
	token, err := k.signer.Sign("JWT", all)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bearer presents a token.
func bearer(token string) []request.Field {
	return []request.Field{{Name: "Authorization", Value: "Bearer " + token}}
}
