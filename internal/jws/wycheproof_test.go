package jws_test

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/portreeve/portreeve/internal/jws"
	"github.com/portreeve/portreeve/internal/secret"
)

type wycheproofGroup struct {
	Comment string          `json:"comment"`
	Public  json.RawMessage `json:"public"`
	Private json.RawMessage `json:"private"`
	Tests   []struct {
		ID      int    `json:"tcId"`
		Comment string `json:"comment"`
		JWS     any    `json:"jws"`
		Result  string `json:"result"`
	} `json:"tests"`
}

func wycheproofFile(t *testing.T, name string) []wycheproofGroup {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int               `json:"numberOfTests"`
		Groups        []wycheproofGroup `json:"testGroups"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.Groups {
		n += len(g.Tests)
	}
	if n != file.NumberOfTests || n == 0 {
		t.Fatalf("%s: %d vectors read of %d", name, n, file.NumberOfTests)
	}
	return file.Groups
}

func text(v any) string {
	s, ok := v.(string)
	if !ok {
		b, _ := json.Marshal(v)
		return string(b)
	}
	return s
}

// wycheproofKey turns a group's key into ours: a public JWK by ParseJWK, a
// shared secret by NewHMAC, as the configuration would give it.
func wycheproofKey(raw json.RawMessage) (*jws.Key, error) {
	var j struct{ Kty, Kid, Alg, K string }
	if err := json.Unmarshal(raw, &j); err != nil {
		return nil, err
	}
	if j.Kty != "oct" {
		return jws.ParseJWK(raw)
	}
	b, err := base64.RawURLEncoding.DecodeString(j.K)
	if err != nil {
		return nil, err
	}
	return jws.NewHMAC(j.Kid, secret.New(string(b)), j.Alg)
}

// signatureDifferences are the vectors of the signature file where our verdict
// is not the file's, each with the reason. Everything else must agree.
var signatureDifferences = map[int]string{
	346: "the key says PS256, the token PS384: the algorithm is the key's (RFC 8725 section 3.1)",
	350: "as 346, with key_ops",
	347: "the key's alg is ES521, which is no algorithm: the key is not used",
	351: "as 347, with key_ops",
	367: "the text is canonical base64url of an honest token, equal to 357; nothing is wrong with it",
	370: "as 367",
	372: "a character outside the alphabet stands in the header; a lenient reader would skip it",
	373: "as 372, in the payload",
}

func TestWycheproofSignatures(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, g := range wycheproofFile(t, "json_web_signature_test.json") {
		raw := g.Public
		if raw == nil {
			raw = g.Private
		}
		k, keyErr := wycheproofKey(raw)
		for _, v := range g.Tests {
			err := keyErr
			if err == nil {
				err = accept(text(v.JWS), k)
			}
			agrees := (err == nil) == (v.Result == "valid")
			why, listed := signatureDifferences[v.ID]
			if agrees == listed {
				t.Errorf("vector %d (%s %s, %s): our verdict %v, listed as different: %q", v.ID, g.Comment, v.Comment, v.Result, err, why)
			}
			seen[v.ID] = true
		}
	}
	for id := range signatureDifferences {
		if !seen[id] {
			t.Errorf("vector %d is listed but not in the file", id)
		}
	}
}

// keyDifferences are those of the key file, read as key sets.
var keyDifferences = map[int]string{
	2:  "a set of shared secrets: a secret that can be fetched is none, so oct is skipped with an alarm",
	13: "as 2", 14: "as 2", 15: "as 2",
}

// secretDifferences are those of the key file when its oct keys are given as
// secrets in the configuration.
var secretDifferences = map[int]string{
	1:  "the other key of the set is not asked: the secret is given alone",
	4:  "the kid that occurs twice is that of the first secret; secrets in the configuration have no set",
	11: "47 bytes for HS384: any HMAC secret of 32 bytes and more is taken; the older workers took any, and secrets of 32 bytes are out there",
	12: "63 bytes for HS512: as 11",
}

func TestWycheproofKeySets(t *testing.T) {
	t.Parallel()
	for _, g := range wycheproofFile(t, "json_web_key_test.json") {
		raw := g.Public
		if raw == nil {
			raw = g.Private
		}
		keys, skipped, err := jws.ParseJWKS(raw)
		if err != nil {
			t.Fatalf("%s: %v", g.Comment, err)
		}
		for _, v := range g.Tests {
			verdict := acceptBySet(text(v.JWS), keys)
			_, listed := keyDifferences[v.ID]
			if (verdict == (v.Result == "valid")) == listed {
				t.Errorf("vector %d (%s %s, %s): accepted %t, skipped %v", v.ID, g.Comment, v.Comment, v.Result, verdict, skipped)
			}
		}
	}
}

func acceptBySet(token string, keys []*jws.Key) bool {
	parsed, err := jws.Parse(token)
	if err != nil {
		return false
	}
	for _, k := range keys {
		if k.ID == parsed.Header.Kid && parsed.Verify(k) == nil {
			return true
		}
	}
	return false
}

func TestWycheproofSecrets(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, g := range wycheproofFile(t, "json_web_key_test.json") {
		var set struct {
			Keys []json.RawMessage `json:"keys"`
		}
		if err := json.Unmarshal(g.Private, &set); err != nil || g.Public != nil || !strings.Contains(string(set.Keys[0]), `"oct"`) {
			continue
		}
		k, keyErr := wycheproofKey(set.Keys[0])
		for _, v := range g.Tests {
			tried++
			verdict := keyErr == nil && accept(text(v.JWS), k) == nil
			_, listed := secretDifferences[v.ID]
			if (verdict == (v.Result == "valid")) == listed {
				t.Errorf("vector %d (%s %s, %s): accepted %t, key %v", v.ID, g.Comment, v.Comment, v.Result, verdict, keyErr)
			}
		}
	}
	if tried < 12 {
		t.Errorf("only %d vectors have shared secrets", tried)
	}
}
