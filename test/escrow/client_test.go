package escrow

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/escrow/shares"
)

// object is a JSON object of names and values.
func object(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return text2(m)
}

func text2(m map[string]any) string { return string(must(json.Marshal(m))) }

// str is a text of an answer, "" for none.
func str(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// list is a list of objects of an answer.
func list(m map[string]any, name string) (out []map[string]any) {
	all, _ := m[name].([]any)
	for _, v := range all {
		o, _ := v.(map[string]any)
		out = append(out, o)
	}
	return out
}

// prove asks for a challenge for a key and opens it.
func (w *world) prove(t testing.TB, who string, k *ends.Key) (challenge map[string]any, proof string) {
	t.Helper()
	c := w.want(t, 200, w.as(who), "POST /v1/tenant/key/challenge", object("publicKey", k.Public.JWK))
	return c, must(k.Answer(str(c, "ciphertext")))
}

// onboarding is the body of POST /v1/tenant/key as an honest browser makes it;
// before is the key whose place it takes, nil for a first one. Without a passphrase
// the wrapping opens to nothing.
func (w *world) onboarding(t testing.TB, who string, k, before *ends.Key, passphrase string) (body map[string]any, list []shares.Share) {
	t.Helper()
	c, proof := w.prove(t, who, k)
	recovery, list, err := ends.SealRecovery(k, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	w.keeps(ofShares(list)...)
	body = map[string]any{
		"publicKey": k.Public.JWK, "signingKey": k.Signer.JWK, "wrappedPrivateKey": wrap(k, passphrase), "recovery": recovery,
		"challengeId": c["challengeId"], "proof": proof, "signature": must(k.State(str(c, "tenant"), str(c, "createdAt"), str(c, "predecessor"))),
	}
	if before != nil {
		body["replaces"] = before.Public.Kid
		body["authorization"] = must(before.Authorize(str(c, "tenant"), k.Public.Kid, k.Signer.Kid))
	}
	return body, list
}

// wrapped are wrappings that were made: deriving is what takes time.
var wrapped sync.Map

// wrap wraps a key by a passphrase, once in this process.
func wrap(k *ends.Key, passphrase string) string {
	if passphrase == "" {
		return outside(k.Public.Kid)
	}
	made, _ := wrapped.LoadOrStore(k.Public.Kid+" "+passphrase, sync.OnceValue(func() string { return must(ends.Wrap(k, passphrase, envelope.LeastCount)) }))
	once, _ := made.(func() string)
	return once()
}

// unwraps are wrappings that were opened, or were refused: this takes as long.
var unwraps sync.Map

// unwrap opens a wrapping, once in this process.
func unwrap(text, kid, passphrase string) (*ends.Key, error) {
	done, _ := unwraps.LoadOrStore([3]string{text, kid, passphrase}, sync.OnceValues(func() (*ends.Key, error) { return ends.Unwrap(text, kid, passphrase) }))
	once, _ := done.(func() (*ends.Key, error))
	return once()
}

// onboarded gives acme its first key.
func (w *world) onboarded(t testing.TB, passphrase string) *ends.Key {
	t.Helper()
	k := w.key(0)
	body, _ := w.onboarding(t, "admin", k, nil, w.plain("passphrase", passphrase))
	w.want(t, 201, w.as("admin"), "POST /v1/tenant/key", text2(body))
	return k
}

// published is the key as a machine gets it.
func (w *world) published(t testing.TB) ends.Published {
	t.Helper()
	a := w.Ask(t, "GET", "/v1/tenant/pubkey", "", w.machine)
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	return must(ends.ReadPublished([]byte(a.Body)))
}

// sealed is a secret that a machine hands over, bound to it.
func (w *world) sealed(t testing.TB, machine, kind, plain string) (id string) {
	t.Helper()
	c := must(ends.Seal(w.published(t).Public, ends.Binding{Tenant: acme, Machine: machine, Kind: kind}, []byte(w.plain("plaintext", plain))))
	return str(w.want(t, 201, w.machine, "POST /v1/secret", object("machine", machine, "kind", kind, "ciphertext", c)), "id")
}

// reveal asks for a sealed secret.
func (w *world) reveal(t testing.TB, who, id string) map[string]any {
	t.Helper()
	return w.want(t, 200, w.as(who), "POST /v1/secrets/"+id+"/reveal", `{"reason":"a test"}`)
}

// listed is what an answer says that a secret is.
func listed(r map[string]any) ends.Listed {
	m, _ := r["machine"].(map[string]any)
	hosts := []string{str(m, "hostname"), str(m, "lastHostname")}
	more, _ := m["hostnames"].([]any)
	for _, h := range more {
		hosts = append(hosts, h.(string))
	}
	return ends.Listed{Kid: str(r, "kid"), Tenant: str(r, "tenant"), Kind: str(r, "kind"), MachineID: str(m, "id"), Serial: str(m, "serial"), Hostnames: hosts}
}

// opens reveals a secret and opens it.
func (w *world) opens(t testing.TB, who, id string, k *ends.Key) (ends.Opened, error) {
	t.Helper()
	r := w.reveal(t, who, id)
	return k.Open(str(r, "ciphertext"), listed(r))
}

// unwrapped is the key that the newest wrapping of a kid opens to.
func (w *world) unwrapped(t testing.TB, who, kid, passphrase string) (*ends.Key, error) {
	t.Helper()
	for _, k := range list(w.want(t, 200, w.as(who), "GET /v1/tenant/key", ""), "keys") {
		if str(k, "kid") != kid {
			continue
		}
		for _, x := range list(k, "wrappings") {
			if x["current"] == true {
				if text := str(x, "wrappedPrivateKey"); text != "" {
					return unwrap(text, kid, passphrase)
				}
				return unwrap(text2(x["wrappedPrivateKey"].(map[string]any)), kid, passphrase)
			}
		}
	}
	t.Fatalf("no wrapping of %s", kid)
	return nil, nil
}

// jwe is the outside of a compact JWE, with an encrypted key of some bytes.
func jwe(header string, keyBytes int) string {
	return strings.Join([]string{enc([]byte(header)), enc(make([]byte, keyBytes)), enc(make([]byte, 12)), enc([]byte("opaque")), enc(make([]byte, 16))}, ".")
}

func enc(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decoded is what stands in some base64url.
func decoded(s string) string { return string(must(base64.RawURLEncoding.DecodeString(s))) }
