package jws

import (
	"crypto/ed25519"
	"testing"
)

func TestLogoutTokensAndOthersAreNotTakenForEachOther(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner("EdDSA", "k", key)
	if err != nil {
		t.Fatal(err)
	}
	for typ, want := range map[string]struct{ token, logout bool }{
		"":                       {true, true},
		"JWT":                    {true, false},
		"at+jwt":                 {true, false},
		"logout+jwt":             {false, true},
		"application/Logout+JWT": {false, true},
		"logout":                 {false, false},
	} {
		compact, err := signer.Sign(typ, map[string]any{"iss": "x"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(compact); (err == nil) != want.token {
			t.Errorf("%q as a token: %v", typ, err)
		}
		tok, err := ParseLogout(compact)
		if (err == nil) != want.logout {
			t.Errorf("%q as a logout token: %v", typ, err)
		}
		if err == nil && tok.Verify(signer.Public()) != nil {
			t.Errorf("%q does not verify", typ)
		}
	}
}
