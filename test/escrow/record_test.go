package escrow

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/test/edge"
)

// forbid has the store refuse every event of a kind.
func (w *world) forbid(t testing.TB, action string) {
	t.Helper()
	if w.host.DB.Engine() == store.PostgreSQL {
		w.run(t, `CREATE FUNCTION refuse_event() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'zq9: no room'; END $f$`,
			`CREATE TRIGGER refuse_event BEFORE INSERT ON audit_events FOR EACH ROW WHEN (NEW.action = '`+action+`') EXECUTE FUNCTION refuse_event()`)
		return
	}
	w.run(t, `CREATE TRIGGER refuse_event BEFORE INSERT ON audit_events WHEN NEW.action = '`+action+`' BEGIN SELECT RAISE(ABORT, 'zq9: no room'); END`)
}

func (w *world) permit(t testing.TB) {
	t.Helper()
	if w.host.DB.Engine() == store.PostgreSQL {
		w.run(t, `DROP TRIGGER refuse_event ON audit_events`, `DROP FUNCTION refuse_event`)
		return
	}
	w.run(t, `DROP TRIGGER refuse_event`)
}

func (w *world) run(t testing.TB, statements ...string) {
	t.Helper()
	if err := w.host.DB.Tx(t.Context(), func(tx *store.Tx) error {
		for _, s := range statements {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// closed holds an answer that was to say nothing: no ciphertext, no wrapping, and
// nothing of the store's own words.
func closed(t testing.TB, what string, a edge.Answer, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("%s: %d %s, want %d", what, a.Status, a.Body, status)
	}
	for _, word := range []string{"ciphertext", "eyJ", "wrappedPrivateKey", "auditId", "zq9", "SQL", "sql", "trigger", "Tr0ub4dor"} {
		if strings.Contains(a.Body, word) {
			t.Errorf("%s: the answer holds %q: %s", what, word, a.Body)
		}
	}
}

// TestNoEventNoAnswer: where the record cannot be written, nothing is handed out.
func TestNoEventNoAnswer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		k := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		id := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
		ask := func() edge.Answer {
			return w.Ask(t, "POST", "/v1/secrets/"+id+"/reveal", `{"reason":"a test"}`, w.as("member"))
		}
		w.forbid(t, "secret.revealed")
		closed(t, "a reveal that is not recorded", ask(), 500)
		w.permit(t)
		w.forbid(t, "escrow.wrappings_read")
		closed(t, "wrappings that are not recorded", w.Ask(t, "GET", "/v1/tenant/key", "", w.as("member")), 500)
		w.permit(t)
		if n := w.column(t, `SELECT id FROM escrow_unwraps`); len(n) != 0 {
			t.Errorf("counted all the same: %v", n)
		}
		w.forbid(t, "secret.escrowed")
		sealed := must(ends.Seal(k.Public, ends.Binding{Tenant: acme, Machine: "PC-9", Kind: "k"}, []byte(w.plain("plaintext", "not-kept-yet-of-PC-9"))))
		hand := func() edge.Answer {
			return w.Ask(t, "POST", "/v1/secret", object("machine", "PC-9", "kind", "k", "ciphertext", sealed), w.machine)
		}
		closed(t, "a secret that is not recorded", hand(), 500)
		if n := w.column(t, `SELECT id FROM machines WHERE hostname = 'PC-9'`); len(n) != 0 {
			t.Error("half of it was kept")
		}
		w.permit(t)
		if a := hand(); a.Status != 201 {
			t.Errorf("%d %s", a.Status, a.Body)
		}

		// Held by somebody else: refused within the bound, and nothing is handed out.
		held, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		db := storetest.Open(t, w.address())
		go func() {
			defer close(done)
			_ = db.Tx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE tenants SET rev = rev WHERE id = $1`, acme)
				close(held)
				<-release
				return err
			})
		}()
		<-held
		began := time.Now()
		closed(t, "a reveal while the store is held", ask(), 503)
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("refused after %v", took)
		}
		close(release)
		<-done
		if n := w.events(t, acme, "secret.revealed"); n != 0 {
			t.Errorf("%d reveals are in the record", n)
		}
		w.opensTo(t, "member", id, k, "Tr0ub4dor&3-of-PC-1", true)
		if n := w.events(t, acme, "secret.revealed"); n != 1 {
			t.Errorf("%d reveals are in the record", n)
		}
	})
}

// A store that is away is a refusal.
func TestNoStoreNoAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite:portreeve.db")
	w.onboarded(t, "plinth gravel otter sunday mosaic tin")
	id := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
	w.reveal(t, "member", id)
	file := filepath.Join(w.Dir, "portreeve.db")
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	edge.Until(t, "the store is known to be away", func() bool {
		a := w.Ask(t, "POST", "/v1/secrets/"+id+"/reveal", `{"reason":"a test"}`, w.as("member"))
		if a.Status != 200 { // until then what was open stays so, and the event is in the file
			closed(t, "a reveal without a store", a, 503)
		}
		return a.Status == 503
	})
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
}
