package escrow

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/standin"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/store/storetest"
	"github.com/portreeve/portreeve/internal/tenant"
	"github.com/portreeve/portreeve/test/edge"
)

// configuration is the documented set-up: people behind Access, machines with
// tokens, the portal's pages elsewhere.
const configuration = `
environment: test
store: {url: "@STORE@"}
masterKey: "{{file.master-key}}"
access: {teamDomain: acme.cloudflareaccess.com, audience: app, certsURL: "@CERTS@"}
mfa: {}
escrow: {portalOrigin: "https://portal.example.com"}
`

const (
	acme   = "11111111-1111-1111-1111-111111111111"
	globex = "globex"
)

// world is a Portreeve behind a recorder, with two tenants and people of each.
type world struct {
	*edge.Edge
	t       testing.TB
	host    *app.Host
	access  *standin.Access
	proxy   *recorder
	machine string // token of acme
	foreign string // token of globex
	store   string
	asked   atomic.Int64

	mu     sync.Mutex
	secret []private // what may be nowhere but in this process
}

// engines are the stores that a world can stand on.
func engines() map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{
		"sqlite":   func(testing.TB) string { return "sqlite:portreeve.db" },
		"postgres": storetest.PostgresURL,
	}
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(engines())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, engines()[name](t))
			run(t, w)
			w.silent(t)
		})
	}
}

func newWorld(t testing.TB, url string) *world {
	t.Helper()
	w := &world{t: t, store: url}
	w.access = must(standin.NewAccess(edge.Listen(t), standin.AccessOptions{Team: "acme.cloudflareaccess.com", Audience: "app", RSA: edge.Keys(t)}))
	t.Cleanup(func() { _ = w.access.Close() })
	w.Edge = edge.Start(t, edge.Setting{Text: configuration, Words: map[string]string{"STORE": url, "CERTS": w.access.CertsURL()},
		Files: map[string]string{"master-key": base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))}})
	w.proxy = record(t, w.Addr)
	w.URL = w.proxy.url()
	w.host = w.Host(t)
	ctx, h := t.Context(), w.host
	must(h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: acme, Name: "Acme MSP"}))
	must(h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: globex, Name: "Globex"}))
	for _, u := range []struct{ of, who, role string }{{acme, "admin", "admin"}, {acme, "second", "admin"}, {acme, "member", "member"}, {acme, "viewer", "viewer"}, {globex, "boss", "admin"}} {
		w.user(u.of, u.who, u.role)
	}
	w.machine, w.foreign = w.token(acme), w.token(globex)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Log.String())
		}
	})
	return w
}

func (w *world) user(of, who, role string) {
	w.t.Helper()
	must(w.host.Tenants.AddUser(w.t.Context(), w.host.By(), of, tenant.NewUser{ID: who, Email: who + "@acme.example", Roles: []string{role}}))
}

// token is a machine token.
func (w *world) token(of string) string {
	w.t.Helper()
	d := apikey.Draft{Machine: true, Name: input.Optional[string]{Set: true, Value: "engine"}}
	return edge.Bearer(must(w.host.APIKeys.Create(w.t.Context(), w.host.KeyBy(), of, d)).Token.Reveal())
}

// as is the credential of somebody whom Access let through.
func (w *world) as(who string) string {
	return "Cf-Access-Jwt-Assertion: " + must(w.access.Mint(who+"@acme.example", nil))
}

// keeps notes what must never leave the client.
func (w *world) keeps(list ...private) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secret = append(w.secret, list...)
}

// plain is a plaintext or passphrase that must never leave the client.
func (w *world) plain(name, text string) string {
	w.keeps(private{name, []byte(text)})
	return text
}

// Ask sends a request through the recorder.
func (w *world) Ask(t testing.TB, method, path, body string, fields ...string) edge.Answer {
	t.Helper()
	w.asked.Add(1)
	return w.Edge.Ask(t, method, path, body, fields...)
}

// address is that of the store.
func (w *world) address() string {
	if w.store == "sqlite:portreeve.db" {
		return "sqlite:" + filepath.Join(w.Dir, "portreeve.db")
	}
	return w.store
}

// change changes what is stored, past the server: at least one row.
func (w *world) change(t testing.TB, query string, args ...any) {
	t.Helper()
	if err := w.host.DB.Tx(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Exec(query, args...)
		if err == nil && n == 0 {
			err = errors.New("no row was changed by " + query)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// column reads texts from the store.
func (w *world) column(t testing.TB, query string, args ...any) (out []string) {
	t.Helper()
	if err := w.host.DB.Read(t.Context(), func(tx *store.Tx) (err error) {
		out, err = store.List(tx, text, query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// want asks and compares the status; the answer is returned as JSON.
func (w *world) want(t testing.TB, status int, who, line, body string, fields ...string) map[string]any {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	a := w.Ask(t, method, path, body, append([]string{who, "Content-Type: application/json"}, fields...)...)
	if a.Status != status {
		t.Fatalf("%s %.400s: %d %s, want %d", line, body, a.Status, a.Body, status)
	}
	return edge.Decode[map[string]any](t, a)
}

// says asks and wants a status and words in the answer.
func (w *world) says(t testing.TB, status int, words, who, line, body string, fields ...string) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	a := w.Ask(t, method, path, body, append([]string{who}, fields...)...)
	if a.Status != status || !strings.Contains(a.Body, words) {
		t.Errorf("%s %.400s: %d %s, want %d %q", line, body, a.Status, a.Body, status, words)
	}
	if a.Status >= 500 && status < 500 {
		t.Errorf("%s: %d", line, a.Status)
	}
}

// events counts the audit events of a kind.
func (w *world) events(t testing.TB, of, action string) int {
	t.Helper()
	_, n, err := w.host.Audit.Page(t.Context(), of, audit.Filter{Action: action}, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// silent ends Portreeve and looks for what never leaves the client: in all traffic,
// in the whole store, in every file of Portreeve's, in its log, in the audit
// trail. Everything else of the tests must be found, or the search is none.
func (w *world) silent(t *testing.T) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	export := []byte{}
	for _, of := range []string{acme, globex} {
		export = append(export, must(json.Marshal(must(w.host.Export(t.Context(), of))))...)
	}
	var trail strings.Builder
	must(w.host.ExportAudit(t.Context(), &trail, audit.Scope{All: true}, time.Time{}, time.Time{}))
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	traffic, requests := w.proxy.traffic(t)
	if asked := int(w.asked.Load()); requests < asked || asked == 0 {
		t.Errorf("%d requests were sent and %d recorded", asked, requests)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.secret) == 0 {
		t.Error("nothing is looked for")
	}
	places := map[string][]byte{"traffic": traffic, "store": w.dump(t), "log": []byte(w.Log.String()), "audit trail": []byte(trail.String()), "export": export}
	for _, file := range must(filepath.Glob(filepath.Join(w.Dir, "*"))) {
		if raw, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "master-key") {
			places["file "+filepath.Base(file)] = raw
		}
	}
	private := needlesOf(w.secret)
	for name, text := range places {
		if found := private.deep(text, depth); found != "" {
			t.Errorf("the %s holds %s", name, found)
		}
		if len(text) == 0 {
			t.Errorf("the %s is empty", name)
		}
	}
	t.Logf("%d requests, %d private values, traffic %d KiB, store %d KiB", requests, len(w.secret), len(traffic)>>10, len(places["store"])>>10)
}

// keys are made once: making them is what takes time.
var keys = sync.OnceValue(func() (out [4]*ends.Key) {
	for i := range out {
		out[i] = must(ends.NewKey(3072))
	}
	return out
})

// key is one of a few keys; its private numbers are kept from leaving.
func (w *world) key(i int) *ends.Key {
	w.t.Helper()
	k := keys()[i]
	w.keeps(ofKey(w.t, "key "+string(rune('0'+i)), k)...)
	return k
}

// must is for what cannot go wrong but in the test itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
