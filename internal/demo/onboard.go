package demo

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// lock is a tenant's key, and the passphrase that opens it.
type lock struct {
	key                 *ends.Key
	passphrase, wrapped string
	err                 error
}

// newLock makes one, as olga's browser does, which takes a moment: meanwhile the
// rest of the demo begins.
func newLock() <-chan lock {
	out := make(chan lock, 1)
	go func() {
		l := lock{passphrase: passphrase()}
		if l.key, l.err = ends.NewKey(envelope.NewBits); l.err == nil {
			l.wrapped, l.err = ends.Wrap(l.key, l.passphrase, envelope.LeastCount)
		}
		out <- l
	}()
	return out
}

// onboard gives the tenant its key: the passphrase, the private key and what the
// challenge is opened by stay here, and Portreeve gets the public key, the wrapped
// one and the proof.
func (d *Demo) onboard(made <-chan lock) error {
	olga, err := d.read("olga")
	if err != nil {
		return err
	}
	if err := d.pubkey(409); err != nil { // until there is a key
		return err
	}
	l := <-made
	if l.err != nil {
		return l.err
	}
	d.passphrase, d.signer = l.passphrase, l.key.Signer.Kid
	var c struct{ ChallengeID, Ciphertext, Tenant, CreatedAt string }
	if err := d.post(olga, "/v1/tenant/key/challenge", 200, map[string]any{"publicKey": l.key.Public.JWK}, &c); err != nil {
		return err
	}
	proof, err := l.key.Answer(c.Ciphertext)
	if err != nil {
		return err
	}
	signature, err := l.key.State(c.Tenant, c.CreatedAt, "")
	if err != nil {
		return err
	}
	if err := d.post(olga, "/v1/tenant/key", 201, map[string]any{"publicKey": l.key.Public.JWK, "signingKey": l.key.Signer.JWK, "signature": signature,
		"wrappedPrivateKey": l.wrapped, "challengeId": c.ChallengeID, "proof": proof}, nil); err != nil {
		return err
	}
	if err := d.write("passphrase", d.passphrase+"\n"); err != nil {
		return err
	}
	if err := d.pubkey(200); err != nil {
		return err
	}
	if err := d.handOver(l.key); err != nil {
		return err
	}
	return d.configured(olga)
}

// configured is what the fleet's machines are told when they ask.
func (d *Demo) configured(olga string) error {
	for name, c := range map[string]struct {
		match  map[string]string
		config map[string]any
	}{
		"everywhere": {nil, map[string]any{"updates": "nightly", "reportEvery": "24h"}},
		"tills":      {map[string]string{"group": "tills"}, map[string]any{"updates": "sunday", "reportEvery": "12h", "kiosk": true}},
	} {
		if err := d.post(olga, "/v1/configs", 201, map[string]any{"name": name, "match": c.match, "config": c.config}, nil); err != nil {
			return err
		}
	}
	return nil
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
