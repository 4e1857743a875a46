package migrate

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// A dump with a key wrapped the older system's way, and what was sealed to it.
func TestSealedSecretsAreImported(t *testing.T) {
	t.Parallel()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &pair.PublicKey, []byte("hunter2"), nil)
	if err != nil {
		t.Fatal(err)
	}
	jwk := `{"kty":"RSA","e":"` + b64(big.NewInt(int64(pair.E)).Bytes()) + `","n":"` + b64(pair.N.Bytes()) + `","alg":"RSA-OAEP-256","ext":true,"key_ops":["encrypt"]}`
	wrapped := `{"v":1,"salt":"` + b64(make([]byte, 16)) + `","iv":"` + b64(make([]byte, 12)) + `","ct":"` + b64(make([]byte, 1200)) + `","iterations":310000}`
	src := strings.NewReplacer("JWK", jwk, "WRAPPED", wrapped, "SEALED", base64.StdEncoding.EncodeToString(sealed)).Replace(`
CREATE TABLE tenants (id TEXT, name TEXT, public_key TEXT, wrapped_private_key TEXT, created_at TEXT);
INSERT INTO tenants VALUES('acme','Acme MSP','JWK','WRAPPED','2026-01-02 03:04:05');
INSERT INTO tenants VALUES('globex','Globex','{"kty":"RSA","d":"x"}','WRAPPED',NULL);
INSERT INTO tenants VALUES('initech','Initech','JWK','{"salt":"x"}',NULL);
CREATE TABLE machines (id TEXT, tenant_id TEXT, hostname TEXT, serial TEXT, status TEXT, created_at TEXT);
INSERT INTO machines VALUES('m1','acme','PC-1','S1','offline','2026-01-03 00:00:00'),('m2','acme','PC-2','S1',NULL,NULL),('m3','nowhere','PC-3',NULL,NULL,NULL),('m4','acme','PC-4','Default string',NULL,NULL);
CREATE TABLE secrets (id TEXT, tenant_id TEXT, machine_id TEXT, kind TEXT, ciphertext TEXT, created_at INTEGER);
INSERT INTO secrets VALUES('s1','acme','m1','local-admin','SEALED',1767400000),('s2','acme','m1','bitlocker','hunter2',NULL),('s3','acme','m9','bitlocker','SEALED',NULL),('s4','globex','m1','x','SEALED',NULL);
`)
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		d := importer(t, db)
		d.Escrow = escrow.New(escrow.Deps{DB: db, Audit: audittest.New(t, db), Log: slog.New(slog.DiscardHandler)})
		dry, err := d.Import(t.Context(), []byte(src), true)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Import(t.Context(), []byte(src), false)
		if err != nil {
			t.Fatal(err)
		}
		if dry.DryRun = false; dry.text() != r.text() {
			t.Errorf("a dry run says\n%s", dry.text())
		}
		golden(t, "escrow.report.txt", r.text())
		if strings.Contains(r.text(), "hunter2") {
			t.Error("the report quotes a value")
		}
		again, err := d.Import(t.Context(), []byte(src), false)
		if err != nil || again.Changed {
			t.Errorf("a second run: %v\n%s", err, again.text())
		}
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			_, out, err := d.Escrow.Export(tx, "acme")
			if text := fmt.Sprintf("%+v", out); !strings.Contains(text, base64.StdEncoding.EncodeToString(sealed)) || !strings.Contains(text, "s1") {
				t.Errorf("the export has %s", text)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
