package audit_test

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/vault"
)

func under(t *testing.T, db *store.DB, file string, ids ...string) (*audit.Log, *seal.Keys) {
	t.Helper()
	var list []seal.Key
	for _, id := range ids {
		sum := sha256.Sum256([]byte(id))
		list = append(list, seal.Key{ID: id, Secret: secret.New(base64.StdEncoding.EncodeToString(sum[:]))})
	}
	keys, err := seal.New(list)
	if err != nil {
		t.Fatal(err)
	}
	l, err := audit.New(keys, audit.Options{DB: db, Checkpoint: file})
	if err != nil {
		t.Fatal(err)
	}
	return l, keys
}

func TestAChainOutlivesItsMasterKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		file := filepath.Join(t.TempDir(), "checkpoints")
		old, _ := under(t, db, file, "2025")
		chain(t, db, old, "acme", 3)
		sign(t, old, 1)
		both, keys := under(t, db, file, "2026", "2025")
		chain(t, db, both, "acme", 3)
		sign(t, both, 1)
		mustVerify(t, both, 6)
		// The new key alone, before the rotation: it is said, and not called tampering with every row.
		alone, _ := under(t, db, file, "2026")
		if r := verify(t, alone, everything(), ""); r.OK() || len(r.Problems) > 3 || !strings.Contains(problems(r), `master key "2025", which is not`) {
			t.Errorf("without the old key: %s", problems(r))
		}
		done, err := vault.Reseal(t.Context(), db, keys, audit.SealedColumns(), 1)
		if err != nil || done[0].Done != 1 || done[0].Failed != 0 {
			t.Fatal(done, err)
		}
		mustVerify(t, both, 6)
		chain(t, db, alone, "acme", 1)
		mustVerify(t, alone, 7)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := verify(t, alone, everything(), string(b)); !r.OK() || r.Checkpoints != 2 {
			t.Errorf("%d checkpoints: %s", r.Checkpoints, problems(r))
		}
		// Another key under the name of the old one is not taken for it.
		exec(t, db, `UPDATE audit_events SET key_id = '2026' WHERE n = 2`)
		if r := verify(t, alone, everything(), ""); !strings.Contains(problems(r), "acme/2 the row was changed") {
			t.Error(problems(r))
		}
	})
}
