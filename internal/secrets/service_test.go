package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/audit/audittest"
	"github.com/portreeve/portreeve/internal/change"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
)

// room is a service with two tenants, a and b, on a store.
type room struct {
	*Service
	db  *store.DB
	log *bytes.Buffer
}

func open(t *testing.T, db *store.DB) *room {
	t.Helper()
	for _, id := range []string{"a", "b"} {
		if err := db.Tx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(`INSERT INTO tenants (id, name, created_at, updated_at) VALUES ($1, $2, 0, 0) ON CONFLICT (id) DO NOTHING`, id, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	r := &room{db: db, log: &bytes.Buffer{}}
	r.Service = New(Deps{DB: db, Audit: audittest.New(t, db), Feed: change.NewFeed(db, change.Options{}), Keys: audittest.Keys(t),
		Log: slog.New(slog.NewTextHandler(r.log, nil))})
	r.poll(t)
	return r
}

// poll takes in what has changed, as a running feed does four times a second.
func (r *room) poll(t *testing.T) {
	t.Helper()
	if err := r.d.Feed.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *room) create(t *testing.T, of, key, value string) Secret {
	t.Helper()
	s, err := r.Create(t.Context(), tenant.Host(), of, Fresh{Key: key, Value: secret.New(value)})
	if err != nil {
		t.Fatal(err)
	}
	r.poll(t)
	return s
}

func (r *room) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := r.db.Tx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func (r *room) listed(t *testing.T, of string) []Secret {
	t.Helper()
	out, total, err := r.List(t.Context(), of, input.Page{Limit: 100})
	if err != nil || total != len(out) {
		t.Fatalf("%d of %d, %v", len(out), total, err)
	}
	return out
}

func TestTheLifeOfASecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		made, err := r.Create(t.Context(), tenant.Host(), "a", Fresh{Key: "API_TOKEN", Value: secret.New("s3cret"), Metadata: []byte(`{ "owner": "ops" }`)})
		if err != nil || made.Key != "API_TOKEN" || string(made.Metadata) != `{"owner":"ops"}` || !made.UsableInHeaders || made.LastUsedAt != nil {
			t.Fatalf("%+v, %v", made, err)
		}
		r.create(t, "a", "cert", "-----BEGIN\nx\n")
		r.create(t, "b", "API_TOKEN", "of b")
		if _, err := r.Create(t.Context(), tenant.Host(), "a", Fresh{Key: "API_TOKEN", Value: secret.New("again")}); !errors.Is(err, ErrTaken) {
			t.Errorf("a second one of the same key: %v", err)
		}
		if l := r.listed(t, "a"); len(l) != 2 || l[0].Key != "API_TOKEN" || l[1].UsableInHeaders {
			t.Errorf("%+v", l)
		}
		rotated, err := r.Rotate(t.Context(), tenant.Host(), "a", "API_TOKEN", secret.New("n3w"), 7)
		if err != nil || rotated.PreviousExpiresAt == nil || rotated.PreviousExpiresAt.Sub(rotated.UpdatedAt).Round(time.Hour) != 7*24*time.Hour {
			t.Errorf("%+v, %v", rotated, err)
		}
		if got := r.value(t, "a", "API_TOKEN"); got != "n3w" {
			t.Errorf("after the rotation it is %q", got)
		}
		// Its grace ends: it is not listed any more, and then it is gone.
		r.exec(t, `UPDATE tenant_secrets SET previous_expires_at = 1 WHERE tenant_id = $1 AND previous_expires_at <> 0`, "a")
		if l := r.listed(t, "a"); l[0].PreviousExpiresAt != nil {
			t.Errorf("%+v", l[0])
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			return tx.Row(`SELECT COUNT(*) FROM tenant_secrets WHERE previous IS NOT NULL`).Scan(&left)
		}); err != nil || left != 0 {
			t.Errorf("%d old values are left, %v", left, err)
		}
		if err := r.Delete(t.Context(), tenant.Host(), "a", "API_TOKEN"); err != nil {
			t.Error(err)
		}
		for _, key := range []string{"API_TOKEN", "", "no such"} {
			if err := r.Delete(t.Context(), tenant.Host(), "a", key); !errors.Is(err, ErrNone) {
				t.Errorf("delete %q: %v", key, err)
			}
			if _, err := r.Rotate(t.Context(), tenant.Host(), "a", "gone", secret.New("x"), 0); !errors.Is(err, ErrNone) {
				t.Errorf("rotate %q: %v", key, err)
			}
		}
		if _, err := r.Create(t.Context(), tenant.Host(), "nobody", Fresh{Key: "K", Value: secret.New("x")}); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("a tenant that is not there: %v", err)
		}
		if got := r.value(t, "b", "API_TOKEN"); got != "of b" {
			t.Errorf("the other tenant's is %q", got)
		}
	})
}

func TestWhatASecretMayBe(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	for name, tt := range map[string]struct {
		in    Fresh
		field string
	}{
		"no key":             {Fresh{Value: secret.New("x")}, "key"},
		"a digit first":      {Fresh{Key: "1A", Value: secret.New("x")}, "key"},
		"a slash":            {Fresh{Key: "A/B", Value: secret.New("x")}, "key"},
		"not ASCII":          {Fresh{Key: "Ä", Value: secret.New("x")}, "key"},
		"a key too long":     {Fresh{Key: strings.Repeat("a", 129), Value: secret.New("x")}, "key"},
		"no value":           {Fresh{Key: "A"}, "value"},
		"a value too long":   {Fresh{Key: "A", Value: secret.New(strings.Repeat("x", MaxValue+1))}, "value"},
		"no text":            {Fresh{Key: "A", Value: secret.New("\xff")}, "value"},
		"metadata: a list":   {Fresh{Key: "A", Value: secret.New("x"), Metadata: []byte(`[1]`)}, "metadata"},
		"metadata: too much": {Fresh{Key: "A", Value: secret.New("x"), Metadata: []byte(`{"a":"` + strings.Repeat("x", maxMetadata) + `"}`)}, "metadata"},
		"metadata: NUL":      {Fresh{Key: "A", Value: secret.New("x"), Metadata: []byte(`{"a":"\u0000"}`)}, "metadata"},
	} {
		_, err := r.Create(t.Context(), tenant.Host(), "a", tt.in)
		if f := fault.From(err); f == nil || f.Kind != fault.BadRequest || len(f.Details) != 1 || f.Details[0].Field != tt.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, days := range []int{-1, 91} {
		if _, err := r.Rotate(t.Context(), tenant.Host(), "a", "A", secret.New("x"), days); fault.From(err).Kind != fault.BadRequest {
			t.Errorf("%d days: %v", days, err)
		}
	}
	for _, ok := range []Fresh{
		{Key: "_", Value: secret.New("x")}, {Key: strings.Repeat("a", 128), Value: secret.New(strings.Repeat("é", MaxValue/2))},
		{Key: "a.b-C_9", Value: secret.New("x"), Metadata: []byte(`null`)},
	} {
		if _, err := r.Create(t.Context(), tenant.Host(), "a", ok); err != nil {
			t.Errorf("%.20s: %v", ok.Key, err)
		}
	}
}

func TestSixteenCallersMakeOneSecret(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := open(t, db)
		won := make(chan string, 16)
		storetest.Callers(t, 16, func(i int) error {
			v := fmt.Sprint("value ", i)
			_, err := r.Create(t.Context(), tenant.Host(), "a", Fresh{Key: "K", Value: secret.New(v)})
			if err == nil {
				won <- v
			} else if !errors.Is(err, ErrTaken) {
				return err
			}
			_, err = r.Rotate(t.Context(), tenant.Host(), "a", "OTHER", secret.New(v), 1)
			if !errors.Is(err, ErrNone) {
				return fmt.Errorf("rotate: %w", err)
			}
			return nil
		})
		r.poll(t)
		if len(won) != 1 {
			t.Fatalf("%d callers made it", len(won))
		}
		if got, want := r.value(t, "a", "K"), <-won; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		storetest.Callers(t, 16, func(i int) error {
			_, err := r.Rotate(t.Context(), tenant.Host(), "a", "K", secret.New(fmt.Sprint("turn ", i)), i%3)
			return err
		})
		if n := r.events(t, "a", "secret.rotated"); n != 16 {
			t.Errorf("%d rotations in the record", n)
		}
	})
}

func (r *room) events(t *testing.T, of, action string) (n int) {
	t.Helper()
	if err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Row(`SELECT COUNT(*) FROM audit_events WHERE tenant_id = $1 AND action = $2`, of, action).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheRecordNamesTheKeyAndNeverTheValue(t *testing.T) {
	t.Parallel()
	r := open(t, storetest.SQLite(t))
	by := tenant.By{Actor: audit.Actor{Kind: "user", ID: "anna"}, Request: "req1"}
	if _, err := r.Create(t.Context(), by, "a", Fresh{Key: "K", Value: secret.New("hidden-1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Rotate(t.Context(), by, "a", "K", secret.New("hidden-2"), 1); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), by, "a", "K"); err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, a := range []string{"secret.created", "secret.rotated", "secret.deleted"} {
		if r.events(t, "a", a) == 1 {
			actions = append(actions, a)
		}
	}
	if diff := cmp.Diff([]string{"secret.created", "secret.rotated", "secret.deleted"}, actions); diff != "" {
		t.Error(diff)
	}
	r.exec(t, `UPDATE tenants SET rev = rev WHERE id = $1`, "a")
	if strings.Contains(r.log.String(), "hidden") {
		t.Errorf("a value stands in the log: %s", r.log)
	}
}
