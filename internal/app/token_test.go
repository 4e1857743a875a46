package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A token is signed with what serve would verify it by, or not at all.
func TestTokenSignsOnlyWhatServeTakes(t *testing.T) {
	t.Parallel()
	const other = "ffffffffffffffffffffffffffffffff"
	vars := map[string]string{"K": "0123456789abcdef0123456789abcdef", "JWT_SECRET": other}
	sign := func(file string, expires time.Duration) (string, error) {
		path := filepath.Join(t.TempDir(), "portreeve.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		return Token(Source{Path: path, Getenv: func(n string) (string, bool) { v, ok := vars[n]; return v, ok }},
			TokenRequest{Subject: "u", Expires: expires, Now: time.Unix(1_800_000_000, 0)})
	}
	beside, err := sign("jwt: {secrets: ['{{env.K}}']}", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := sign("jwt: {secret: '{{env.K}}'}", time.Hour)
	if err != nil || beside != alone {
		t.Errorf("JWT_SECRET signs although the file names secrets: %v", err)
	}
	for file, want := range map[string]string{
		"jwt: {jwksURL: 'https://a.example/keys', issuer: x}": "no jwt with a shared secret",
		"jwt: {secret: '{{env.NOPE}}'}":                       "the variable NOPE is not set",
		"jwt: {secret: '{{env.K}}'}\nrutes: []":               "unknown key",
	} {
		if _, err := sign(file, time.Hour); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", file, err, want)
		}
	}
	if _, err := sign("jwt: {secret: '{{env.K}}'}", 401*24*time.Hour); err == nil || !strings.Contains(err.Error(), "maxTokenAge") {
		t.Errorf("a token that lives too long: %v", err)
	}
}
