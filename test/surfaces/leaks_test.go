package surfaces

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/test/edge"
)

// insides are words of the program's that nobody outside is to read.
func insides() []string {
	return []string{".go:", "goroutine ", "panic", "runtime error", "SELECT ", "INSERT INTO", "UPDATE ", "sql:", "SQLITE", "SQLSTATE", "pgx", "modernc", "api_key_secrets",
		"tenant_secrets", "zq8-sealed-value"}
}

// places are where things stand on the machine, which is the log's to say and no
// answer's.
func places() []string { return []string{"portreeve.yaml", "portreeve.db"} }

// stored is what the store keeps instead of secrets: salts, hashes, sealed
// values and their keys.
func (w *world) stored(t testing.TB) (out []string) {
	t.Helper()
	err := w.host.DB.Read(t.Context(), func(tx *store.Tx) error {
		texts, err := store.List(tx, func(r store.Row) (s [2]string, err error) { return s, r.Scan(&s[0], &s[1]) }, `SELECT hash, salt FROM api_key_secrets`)
		if err != nil {
			return err
		}
		for _, s := range texts {
			out = append(out, s[:]...)
		}
		for _, query := range []string{`SELECT sealed FROM tenant_secrets`, `SELECT sealed FROM audit_keys`} {
			sealed, err := store.List(tx, func(r store.Row) (b []byte, err error) { return b, r.Scan(&b) }, query)
			if err != nil {
				return err
			}
			for _, b := range sealed {
				out = append(out, hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b))
			}
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatal(err, out)
	}
	return out
}

// holds is the first of some words that a text holds, "" for none.
func holds(text string, words []string) string {
	for _, w := range words {
		if w != "" && strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// whole is an answer with its header, as text.
func whole(a edge.Answer) string {
	var b strings.Builder
	for name, values := range a.Header {
		b.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
	}
	return b.String() + a.Body
}

// silent looks through the log and the audit trail for what may stand in no
// answer, for keys and tokens as they were sent, and for what requests carried.
func (w *world) silent(t testing.TB) {
	t.Helper()
	var trail strings.Builder
	must(w.host.ExportAudit(t.Context(), &trail, audit.Scope{All: true}, time.Time{}, time.Time{}))
	never := append(append(append([]string{}, w.never...), w.stored(t)...), w.tokens...)
	never = append(never, "zq9kx7wv3", "eyJhbGciOi") // of bodies, queries and header values; how tokens begin
	for name, text := range map[string]string{"log": w.Log.String(), "audit trail": trail.String()} {
		if word := holds(text, never); word != "" {
			at := strings.Index(text, word)
			t.Errorf("the %s holds %q: …%s…", name, word, text[max(0, at-300):min(len(text), at+300)])
		}
	}
	if !strings.Contains(trail.String(), "tenant.created") {
		t.Error("the audit trail is empty")
	}
}
