package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// mint writes n RS256 tokens of different callers into tokens, one per line,
// and the key that verifies them into keyFile.
func mint(n int, tokens, keyFile string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
		return err
	}
	signer, err := jws.NewSigner("RS256", "bench", key)
	if err != nil {
		return err
	}
	lines, errs := make([]string, n), make([]error, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for w := range errs {
		all.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				lines[i], errs[w] = signer.Sign("JWT", claims(i))
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return os.WriteFile(tokens, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

func claims(i int) any {
	now := time.Now()
	return object{
		"iss": issuer, "aud": audience, "sub": fmt.Sprintf("user-%05d", i), "role": "reader",
		"email": fmt.Sprintf("user-%05d@example.com", i), "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(6 * time.Hour).Unix(), "scope": "openid profile email",
	}
}
