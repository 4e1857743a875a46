package loginhooks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// device is a telephone with a passkey and the application that asks for it: ES256, no
// attestation (Web Authentication Level 3, sections 6 and 8.7).
type device struct {
	key     *ecdsa.PrivateKey
	id      []byte
	handle  []byte
	counter uint32
	origin  string
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (d *device) says(kind, challenge string, response func(client []byte) map[string]any) string {
	client := []byte(jsonOf(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false}))
	r := response(client)
	r["clientDataJSON"] = b64(client)
	return jsonOf(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": r})
}

func (d *device) data(rp string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rp))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), d.counter)
}

func (d *device) create(t *testing.T, rp, challenge string) string {
	t.Helper()
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	cose := slices.Concat([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, point[1:33], []byte{0x22, 0x58, 0x20}, point[33:])
	data := slices.Concat(d.data(rp, 1|1<<6), make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(d.id))), d.id, cose)
	object := slices.Concat([]byte{0xa3, 0x63}, []byte("fmt"), []byte{0x64}, []byte("none"), []byte{0x67}, []byte("attStmt"), []byte{0xa0, 0x68}, []byte("authData"),
		[]byte{0x59, byte(len(data) >> 8), byte(len(data))}, data)
	return d.says("webauthn.create", challenge, func([]byte) map[string]any { return map[string]any{"attestationObject": b64(object)} })
}

func (d *device) get(t *testing.T, rp, challenge string) string {
	t.Helper()
	d.counter++
	return d.says("webauthn.get", challenge, func(client []byte) map[string]any {
		data, hash := d.data(rp, 1), sha256.Sum256(client)
		sum := sha256.Sum256(slices.Concat(data, hash[:]))
		sig, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"authenticatorData": b64(data), "signature": b64(sig), "userHandle": b64(d.handle)}
	})
}

// A passkey of another site of the file, shown by an Android application.
func TestAPasskeyWithoutABrowser(t *testing.T) {
	t.Parallel()
	const rp, app = "app.example", "android:apk-key-hash:abc"
	k := newKit(t, storetest.SQLite(t), setting{run: asking, change: func(c *Settings) {
		c.Factors = login.FactorsConfig{Issuer: "Acme", PasskeyHost: rp, PasskeyOrigins: []string{"https://" + rp, app}}
	}})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{key: key, id: []byte("0123456789abcdef"), origin: "https://" + rp}

	// Ann registers it on the site with the key mfa, by a token of the same issuer.
	who := &principal.Principal{Kind: principal.User, Provider: "keycloak", ProviderKind: "oidc", Issuer: k.issuer.URL, Subject: "kc|ann@example.com", AuthTime: k.clock(), IssuedAt: k.clock(), Expires: k.clock().Add(3600e9)}
	p, err := mfa.PersonOf(who, "acme", "", rp)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := k.mfa.BeginRegister(t.Context(), tenant.Host(), p, mfa.Party{Host: rp, Name: "Acme", Origins: []string{d.origin}}, mfa.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		PublicKey struct {
			Challenge string
			User      struct{ ID string }
		}
	}
	_ = json.Unmarshal([]byte(jsonOf(asked)), &o)
	d.handle, _ = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	if _, err := k.mfa.FinishRegister(t.Context(), tenant.Host(), p, mfa.Party{Host: rp, Name: "Acme", Origins: []string{d.origin}}, "telephone", []byte(d.create(t, rp, o.PublicKey.Challenge))); err != nil {
		t.Fatal(err)
	}

	d.origin = app
	challenge := func(token string) string {
		got := k.send("POST /mfa/challenge", `{"mfa_token":"`+token+`"}`)
		var c struct {
			Type   string `json:"challenge_type"`
			Public struct {
				Challenge string
				RPID      string `json:"rpId"`
				Allow     []struct{ ID string }
			} `json:"authn_params_public_key"`
		}
		if json.Unmarshal([]byte(got.body), &c) != nil || got.status != 200 || c.Type != "passkey" || c.Public.RPID != rp {
			t.Fatal(got)
		}
		return c.Public.Challenge
	}
	first, second := k.login("ann@example.com").text("mfa_token"), k.login("ann@example.com").text("mfa_token")
	shown := d.get(t, rp, challenge(first))
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+second+`","authn_response":`+shown+`}`); got.status != 403 {
		t.Errorf("the challenge of another login: %v", got)
	}
	shown = d.get(t, rp, challenge(first))
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+first+`","authn_response":`+shown+`}`); got.status != 200 || got.text("refresh_token") != "refresh-new" {
		t.Fatal(got)
	}
	d.origin = "https://elsewhere.example"
	if got := k.send("POST /mfa/verify", `{"mfa_token":"`+second+`","authn_response":`+d.get(t, rp, challenge(second))+`}`); got.status != 403 {
		t.Errorf("a page elsewhere: %v", got)
	}
	if got := k.send("POST /mfa/associate", `{"authenticator_types":["otp"]}`, bearer(second)); got.status != 403 {
		t.Errorf("a password alone enrols nothing beside a passkey: %v", got)
	}
}
