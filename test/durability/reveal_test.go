package durability

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
)

// fleet is a tenant whose machines hand over secrets and whose people reveal them,
// while the process dies.
type fleet struct {
	h      *house
	c      *client
	key    *ends.Key
	token  string // of machines
	person string
	url    string

	mu       sync.Mutex
	revealed []string // events that answers named
	kept     []string // secrets that machines were told are kept
	wrong    string
}

func newFleet(t *testing.T, h *house) *fleet {
	t.Helper()
	f := &fleet{h: h, c: newClient(t), person: person(t, "anna@example.com")}
	h.run(t, "users", "add", "anna@example.com", "--role", "admin")
	for line := range strings.Lines(h.run(t, "keys", "create", "--machine", "--label", "engine")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "tok_") {
			f.token = line
		}
	}
	var err error
	if f.key, err = ends.NewKey(3072); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fleet) json(pairs ...any) string {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// onboard gives the tenant its key.
func (f *fleet) onboard(t *testing.T) {
	t.Helper()
	c := read[map[string]string](t, f.c.must(t, 200, "POST", f.url+"/v1/tenant/key/challenge", f.person, f.json("publicKey", f.key.Public.JWK)))
	proof, err := f.key.Answer(c["ciphertext"])
	if err != nil {
		t.Fatal(err)
	}
	signature, err := f.key.State(c["tenant"], c["createdAt"], "")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := ends.Wrap(f.key, "plinth gravel otter sunday mosaic tin", envelope.LeastCount)
	if err != nil {
		t.Fatal(err)
	}
	f.c.must(t, 201, "POST", f.url+"/v1/tenant/key", f.person, f.json("publicKey", f.key.Public.JWK, "signingKey", f.key.Signer.JWK, "signature", signature,
		"wrappedPrivateKey", wrapped, "challengeId", c["challengeId"], "proof", proof))
}

// hand hands over secrets until the process is gone.
func (f *fleet) hand(ctx context.Context, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		machine := fmt.Sprint("PC-", n)
		sealed, err := ends.Seal(f.key.Public, ends.Binding{Tenant: "main", Machine: machine, Kind: "k"}, []byte("secret"))
		if err != nil {
			f.fail(err.Error())
			return
		}
		a, err := f.c.ask(ctx, "POST", f.url+"/v1/secret", f.token, f.json("machine", machine, "kind", "k", "ciphertext", sealed))
		if err != nil {
			return
		}
		var made struct{ ID string }
		if a.status != 201 || json.Unmarshal([]byte(a.body), &made) != nil {
			f.fail(fmt.Sprint("a secret: ", a.status, " ", a.body))
			return
		}
		f.mu.Lock()
		f.kept = append(f.kept, made.ID)
		f.mu.Unlock()
	}
}

// open reveals secrets until the process is gone.
func (f *fleet) open(ctx context.Context) {
	for ctx.Err() == nil {
		f.mu.Lock()
		var id string
		if len(f.kept) > 0 {
			id = f.kept[rand.IntN(len(f.kept))] //nolint:gosec // any of them
		}
		f.mu.Unlock()
		if id == "" {
			<-time.After(2 * time.Millisecond)
			continue
		}
		a, err := f.c.ask(ctx, "POST", f.url+"/v1/secrets/"+id+"/reveal", f.person, `{"reason":"a test"}`)
		if err != nil {
			return
		}
		if a.status == 503 { // a machine so busy that the store did not answer: nothing was revealed
			continue
		}
		var r struct{ Ciphertext, AuditID string }
		if json.Unmarshal([]byte(a.body), &r) != nil || a.status != 200 && a.status != 429 || a.status == 200 && (r.Ciphertext == "" || r.AuditID == "") {
			f.fail(fmt.Sprint("a reveal: ", a.status, " ", a.body))
			return
		}
		if a.status == 200 {
			f.mu.Lock()
			f.revealed = append(f.revealed, r.AuditID)
			f.mu.Unlock()
		}
	}
}

func (f *fleet) fail(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = what
}

// held looks whether all that was told is there: every reveal in the audit trail,
// every secret that was kept.
func (f *fleet) held(t *testing.T) {
	t.Helper()
	if f.wrong != "" {
		t.Fatal(f.wrong)
	}
	events, secrets := map[string]bool{}, map[string]bool{}
	db, err := store.Open(t.Context(), store.Options{URL: f.h.store, Manual: true})
	if err != nil {
		t.Fatalf("the store does not open: %v", err)
	}
	defer func() { _ = db.Close() }()
	for query, into := range map[string]map[string]bool{
		`SELECT id FROM audit_events WHERE action = 'secret.revealed' AND result = 'ok'`: events,
		`SELECT id FROM escrow_secrets`: secrets,
	} {
		if err := db.Read(t.Context(), func(tx *store.Tx) error {
			list, err := store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, query)
			for _, id := range list {
				into[id] = true
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range f.revealed {
		if !events[id] {
			t.Errorf("a secret was revealed, and event %s is not in the record", id)
		}
	}
	for _, id := range f.kept {
		if !secrets[id] {
			t.Errorf("secret %s was kept, and is not there", id)
		}
	}
}

// A revealed secret is in the record, whatever becomes of the process right after.
func TestNothingRevealedIsForgottenWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	kills := times(t, "PORTREEVE_KILLS", 5)
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		revealAndKill(t, "", kills, nil)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := storetest.StartServer(t)
		revealAndKill(t, server.URL, kills, func() {
			server.Kill()
			server.Start(t)
		})
	})
}

func revealAndKill(t *testing.T, url string, kills int, also func()) {
	h := newHouse(t, settings{store: url, escrow: true})
	n := h.serve(t)
	f := newFleet(t, h)
	f.url = n.URL
	eventually(t, bound, "anna may set keys", func() bool {
		a, err := f.c.ask(t.Context(), "GET", n.URL+"/v1/configs", f.person, "")
		return err == nil && a.status == 200
	})
	f.onboard(t)
	for kill := range kills {
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 2 {
			all.Go(func() { f.hand(ctx, i) })
		}
		for range 4 {
			all.Go(func() { f.open(ctx) })
		}
		<-time.After(time.Duration(100+rand.IntN(300)) * time.Millisecond) //nolint:gosec // when it dies
		n.kill()
		if also != nil && kill%4 == 3 {
			also()
		}
		stop()
		all.Wait()
		n = h.serve(t)
		f.url = n.URL
		f.held(t)
		if t.Failed() {
			t.Fatalf("after kill %d", kill)
		}
	}
	n.stop(t)
	h.verified(t)
	t.Logf("%d kills, %d secrets, %d reveals", kills, len(f.kept), len(f.revealed))
	if len(f.revealed) < kills {
		t.Error("hardly anything was revealed")
	}
}
