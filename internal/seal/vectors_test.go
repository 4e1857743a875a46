package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
)

func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		NumberOfTests int `json:"numberOfTests"`
		Groups        []struct {
			Tests []T `json:"tests"`
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var out []T
	for _, g := range file.Groups {
		out = append(out, g.Tests...)
	}
	if len(out) != file.NumberOfTests || len(out) == 0 {
		t.Fatalf("%s: %d vectors read of %d", name, len(out), file.NumberOfTests)
	}
	return out
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestXChaCha20Poly1305AsPublished(t *testing.T) {
	t.Parallel()
	type vector struct {
		ID                                 int `json:"tcId"`
		Key, IV, AAD, Msg, CT, Tag, Result string
	}
	seen := 0
	for _, v := range vectors[vector](t, "xchacha20_poly1305_test.json") {
		nonce, b := unhex(t, v.IV), box{unhex(t, v.Key)}
		if len(nonce) != nonceSize {
			continue // our form has no room for another length
		}
		seen++
		want := append(unhex(t, v.CT), unhex(t, v.Tag)...)
		plain, err := b.open(nil, nonce, want, unhex(t, v.AAD))
		if (err == nil) != (v.Result == "valid") {
			t.Errorf("vector %d is %s: %v", v.ID, v.Result, err)
			continue
		}
		if err != nil {
			continue
		}
		got, err := b.seal(nil, nonce, plain, unhex(t, v.AAD))
		if err != nil || !bytes.Equal(got, want) || !bytes.Equal(plain, unhex(t, v.Msg)) {
			t.Errorf("vector %d: seals as %x, %v", v.ID, got, err)
		}
	}
	if seen < 200 {
		t.Errorf("only %d vectors fit", seen)
	}
}

func TestHKDFAsPublished(t *testing.T) {
	t.Parallel()
	type vector struct {
		ID                           int `json:"tcId"`
		IKM, Salt, Info, OKM, Result string
		Size                         int
	}
	for _, v := range vectors[vector](t, "hkdf_sha256_test.json") {
		if v.Result == "invalid" {
			continue // sizes above 255 blocks, which nothing here asks for
		}
		if got := derive(unhex(t, v.IKM), unhex(t, v.Salt), string(unhex(t, v.Info)), v.Size); !bytes.Equal(got, unhex(t, v.OKM)) {
			t.Errorf("vector %d: %x", v.ID, got)
		}
	}
}

// What is stored must open in every later release.
func TestAValueOfTheFirstReleaseOpens(t *testing.T) {
	t.Parallel()
	k := keys(t, Key{"k1", keyOf("one")})
	b := unhex(t, firstRelease)
	plain, err := k.Open(place, b)
	if err != nil || string(plain) != "JBSWY3DPEHPK3PXP" {
		t.Errorf("%q, %v", plain, err)
	}
}

const firstRelease = "01026b3166208240cb7873c9731433181c959e7f9ec26bedb3eef4696c775e14584e42c8caaf81d91a3332f59a75d665ec4211f0282bcb4a32b3ee11"
