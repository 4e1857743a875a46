package demo

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// onboard makes the tenant's key as olga's browser does: the passphrase, the
// private key and what the challenge opens to by it stay here, and Portreeve gets
// the public key, the wrapped one and the proof.
func (d *Demo) onboard() error {
	olga, err := d.read("olga")
	if err != nil {
		return err
	}
	if err := d.pubkey(409); err != nil { // until there is a key
		return err
	}
	key, err := ends.NewKey(envelope.NewBits)
	if err != nil {
		return err
	}
	var c struct{ ChallengeID, Ciphertext, Tenant, CreatedAt string }
	if err := d.post(olga, "/v1/tenant/key/challenge", 200, map[string]any{"publicKey": key.Public.JWK}, &c); err != nil {
		return err
	}
	proof, err := key.Answer(c.Ciphertext)
	if err != nil {
		return err
	}
	signature, err := key.State(c.Tenant, c.CreatedAt, "")
	if err != nil {
		return err
	}
	d.passphrase = passphrase()
	wrapped, err := ends.Wrap(key, d.passphrase, envelope.LeastCount)
	if err != nil {
		return err
	}
	if err := d.post(olga, "/v1/tenant/key", 201, map[string]any{"publicKey": key.Public.JWK, "signingKey": key.Signer.JWK, "signature": signature,
		"wrappedPrivateKey": wrapped, "challengeId": c.ChallengeID, "proof": proof}, nil); err != nil {
		return err
	}
	if err := d.write("passphrase", d.passphrase+"\n"); err != nil {
		return err
	}
	d.signer = key.Signer.Kid
	return d.pubkey(200)
}

// pubkey asks for the key as a machine does.
func (d *Demo) pubkey(status int) error {
	engine, err := d.read("engine")
	if err != nil {
		return err
	}
	resp, err := d.ask("GET", d.at("escrow", "/v1/tenant/pubkey"), engine, "")
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("the tenant's key: %s, not %d", resp.Status, status)
	}
	return err
}

func (d *Demo) post(head, path string, status int, body map[string]any, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	resp, err := d.ask("POST", d.at("escrow", path), head, string(raw))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != status:
		return fmt.Errorf("POST %s answered %s, not %d: %s", path, resp.Status, status, resp.body)
	case into == nil:
		return nil
	}
	return json.Unmarshal(resp.body, into)
}

// passphrase is a new one of 120 bits, in groups that can be read out.
func passphrase() string {
	text, groups := strings.ToLower(rand.Text()), []string{}
	for len(groups) < 6 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return strings.Join(groups, "-")
}
