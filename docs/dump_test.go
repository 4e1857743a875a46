package docs_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// provisioningDump writes dump.sql: what the provisioning backend's database held,
// with a key that a browser wrapped by the passphrase of the page, and a secret
// that a machine sealed to it.
func provisioningDump(t *testing.T, dir string) {
	t.Helper()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &pair.PublicKey, []byte("418924-091234-550112"), nil)
	if err != nil {
		t.Fatal(err)
	}
	salt, iv := make([]byte, 16), make([]byte, 12)
	_, _ = rand.Read(salt)
	_, _ = rand.Read(iv)
	const iterations = 310000
	key, err := pbkdf2.Key(sha256.New, "a long old passphrase", salt, iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	b64, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	text := strings.NewReplacer(
		"JWK", fmt.Sprintf(`{"kty":"RSA","e":%q,"n":%q,"alg":"RSA-OAEP-256","ext":true,"key_ops":["encrypt"]}`, url(big.NewInt(int64(pair.E)).Bytes()), url(pair.N.Bytes())),
		"WRAPPED", fmt.Sprintf(`{"v":1,"salt":%q,"iv":%q,"ct":%q,"iterations":%d}`, b64(salt), b64(iv), b64(gcm.Seal(nil, iv, raw, nil)), iterations),
		"SEALED", b64(sealed)).Replace(oldDatabase)
	if err := os.WriteFile(filepath.Join(dir, "dump.sql"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// oldDatabase has one of everything. Its machine token is the one of the page.
const oldDatabase = `PRAGMA defer_foreign_keys=TRUE;
CREATE TABLE tenants (id TEXT PRIMARY KEY, name TEXT NOT NULL, public_key TEXT, wrapped_private_key TEXT, created_at TEXT);
INSERT INTO tenants VALUES('acme','Acme MSP','JWK','WRAPPED','2026-01-02 03:04:05');
CREATE TABLE users (id TEXT PRIMARY KEY, tenant_id TEXT, email TEXT, role TEXT);
INSERT INTO users VALUES('u1','acme','anna@acme.example','admin'),('u2','acme','ben@acme.example','engineer');
CREATE TABLE api_tokens (id TEXT PRIMARY KEY, tenant_id TEXT, token_prefix TEXT, token_hash TEXT, token_salt TEXT, label TEXT, revoked_at INTEGER);
INSERT INTO api_tokens VALUES('t1','acme','tok_BwcH','45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406','0011223344556677','engine',NULL);
INSERT INTO api_tokens VALUES('t2','acme','tok_BwcH','45bb37c589ab9e3a1bdea170541a6a5f793b9e236c08f92d669c158ecf466406','0011223344556677','old',1700000000);
CREATE TABLE machines (id TEXT PRIMARY KEY, tenant_id TEXT, hostname TEXT, serial TEXT);
INSERT INTO machines VALUES('m1','acme','PC-1','5CG1234');
CREATE TABLE secrets (id TEXT PRIMARY KEY, tenant_id TEXT, machine_id TEXT, kind TEXT, ciphertext TEXT, created_at TEXT);
INSERT INTO secrets VALUES('s1','acme','m1','bitlocker','SEALED','2026-01-03 00:00:00');
CREATE TABLE runs (id TEXT, tenant_id TEXT, status TEXT);
INSERT INTO runs VALUES('r1','acme','ok');
`
