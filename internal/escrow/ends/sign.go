package ends

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

var errNoSigner = errors.New("the key has no signing key: it is an imported one")

// State is the statement of a key about itself (`signature`).
func (k *Key) State(tenant, createdAt, predecessor string) (string, error) {
	p := map[string]any{"kid": k.Public.Kid, "tenant": tenant, "createdAt": createdAt, "predecessor": nil}
	if predecessor != "" {
		p["predecessor"] = predecessor
	}
	return k.signed(envelope.TypeStatement, p)
}

// Authorize is what a key says of the one that takes its place (`authorization`).
func (k *Key) Authorize(tenant, kid, signer string) (string, error) {
	return k.signed(envelope.TypeSuccession, map[string]any{"kid": kid, "signer": signer, "tenant": tenant, "predecessor": k.Public.Kid})
}

func (k *Key) signed(typ string, payload map[string]any) (string, error) {
	if k.sign == nil {
		return "", errNoSigner
	}
	head, err := json.Marshal(map[string]string{"alg": "EdDSA", "typ": typ, "kid": k.Signer.Kid})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.sign, []byte(text))), nil
}
