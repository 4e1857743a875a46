package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
)

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// What makes a store stand, and the surface of tenants with it.
func TestWhenAStoreIsUsed(t *testing.T) {
	t.Parallel()
	const jwt = "jwt: {secret: '{{file.secret}}'}\n"
	for name, c := range map[string]struct {
		yaml            string
		store, surfaces bool
	}{
		"nothing":                            {"", false, false},
		"a provider":                         {jwt, true, true},
		"a provider, and the surface is off": {jwt + "tenantApi: false\nmfa: false\n", false, false},
		"a provider beside sites":            {jwt + "sites: [{hosts: a.example.com}]\n", false, false},
		"a provider beside sites, said so":   {jwt + "tenantApi: {}\nsites: [{hosts: a.example.com}]\n", true, true},
		"nobody is identified":               {jwt + "auth: none\n", false, false},
		"the store is written":               {"store: sqlite:portreeve.db\n", true, false},
		"API keys count without the surface": {jwt + "tenantApi: false\nmfa: false\napiKey: {}\n", true, false},
		"second factors without the surface": {jwt + "tenantApi: false\n", true, false},
		"things that are shared":             {jwt + "tenantApi: false\nmfa: false\nagents: {}\n", true, false},
		"machine tokens do":                  {jwt + "tenantApi: false\nmfa: false\nmachine: {}\n", true, false},
		"a site lists API keys":              {"sites: [{hosts: a.example.com, providers: [apiKey]}]\n", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveIn(t, t.TempDir(), "environment: test\nroutes: [{path: /a, method: get, data: {}}]\n"+c.yaml, "secret", secret32)
			if got := exists(filepath.Join(s.dir, "portreeve.db")); got != c.store {
				t.Errorf("there is a store: %t", got)
			}
			if got := exists(filepath.Join(s.dir, "portreeve.db.key")); got != c.store {
				t.Errorf("there is a key: %t", got)
			}
			status, _, _ := s.get("/tenant/users")
			if (status == 401) != c.surfaces || status != 401 && status != 404 {
				t.Errorf("/tenant/users: %d", status)
			}
		})
	}
}

// A file with problems leaves no store behind.
func TestABadFileMakesNoStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "portreeve.yaml"), "environment: test\njwt: {secret: '"+secret32+"'}\nroutes: [{path: 'a', method: get, data: {}}]\n")
	_, err := New(Options{Source: Source{Path: filepath.Join(dir, "portreeve.yaml"), Getenv: vars(nil)}, Stderr: &lockedBuffer{}})
	if err == nil || exists(filepath.Join(dir, "portreeve.db")) || exists(filepath.Join(dir, "portreeve.db.key")) {
		t.Errorf("%v", err)
	}
}

// A reload opens the store where something new cannot do without, and every
// load stands in the trail.
func TestAReloadThatNeedsTheStoreOpensIt(t *testing.T) {
	t.Parallel()
	const jwt = "environment: test\njwt: {secret: '{{file.secret}}'}\n"
	s := serveIn(t, t.TempDir(), jwt+"tenantApi: false\nmfa: false\n", "secret", secret32)
	looking := make(chan bool)
	go func() { // as probes and requests do meanwhile
		for s.app.storeHealth() == nil {
			_ = s.app.degraded()
		}
		close(looking)
	}()
	defer func() { <-looking }()
	if err := s.reload(jwt + "tenants: {default: acme}\n"); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.get("/tenant/users"); status != 401 {
		t.Errorf("/tenant/users: %d", status)
	}
	if err := s.reload("nonsense: 1\n"); err == nil {
		t.Error("a bad file was taken")
	}
	var actions []string
	err := s.app.storing.stored.Load().Audit.Tail(context.Background(), audit.Scope{All: true}, 10, false, func(r audit.Record) error {
		actions = append(actions, r.Tenant+" "+r.Action+" "+r.Detail["by"]+" "+r.Result)
		return nil
	})
	if got := strings.Join(actions, "\n"); err != nil || got != "acme tenant.created  ok\n config.loaded signal ok\n config.loaded signal refused" {
		t.Errorf("%v\n%s", err, got)
	}
	if got := s.app.storeHealth(); got == nil || !got.Fresh || got.Engine != "sqlite" {
		t.Errorf("%+v", got)
	}
}

// While the store is away a configuration comes into service all the same, as
// long as it names no new tenant; the trail says so once the store is back.
func TestAReloadWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	const file = "environment: test\njwt: {secret: '{{file.secret}}'}\n"
	s := serveFile(t, file, "secret", secret32)
	other, err := store.Open(t.Context(), store.Options{URL: "sqlite:" + filepath.Join(s.dir, "portreeve.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, letGo, gone := make(chan bool), make(chan bool), make(chan error, 1)
	go func() { // another process holds it, so that nothing can be written
		gone <- other.Tx(context.Background(), func(*store.Tx) error { close(held); <-letGo; return nil })
	}()
	<-held
	s.app.storing.patience = 500 * time.Millisecond
	if err := s.reload(file + "tenants: {default: acme}\n"); err == nil {
		t.Error("a new tenant was taken for made")
	}
	if err := s.reload(file + "routes: [{path: /new, method: get, data: {}}]\n"); err != nil {
		t.Errorf("routes: %v", err)
	}
	if status, _, _ := s.get("/new"); status != 200 {
		t.Errorf("the new route: %d", status)
	}
	if !strings.Contains(s.log.String(), "the store is away") {
		t.Error("the log does not say so")
	}
	close(letGo)
	if err := <-gone; err != nil {
		t.Fatal(err)
	}
	eventually(t, "the events", func() bool {
		var got []string
		err := s.app.storing.stored.Load().Audit.Tail(context.Background(), audit.Scope{All: true}, 10, false, func(r audit.Record) error {
			if r.Detail["happened"] != "" {
				got = append(got, r.Action+" "+r.Result)
			}
			return nil
		})
		return err == nil && strings.Join(got, ", ") == "config.loaded refused, config.loaded ok"
	})
}

// A store that was not read for too long is named by readiness; what needs no
// store goes on.
func TestAStoreThatIsNotReadIsNamed(t *testing.T) {
	t.Parallel()
	s := serveFile(t, "environment: test\njwt: {secret: '{{file.secret}}'}\nroutes: [{path: /a, method: get, data: {}}, {path: /b, method: get, requireAuth: true, data: {}}]\n", "secret", secret32)
	bearer := s.token("anna")
	if status, body, _ := s.get("/b", "Authorization", bearer); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	s.app.storing.mu.Lock()
	s.app.storing.cancel() // as if the store could not be read any more
	s.app.storing.mu.Unlock()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if d := s.app.degraded(); len(d) == 1 && strings.HasPrefix(d[0], "the store was not read for ") && strings.HasSuffix(d[0], "decisions that need it are refused") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("degraded says %q", s.app.degraded())
		}
	}
	if status, _, _ := s.get("/b", "Authorization", bearer); status != 503 {
		t.Errorf("what is stored is relied on: %d", status)
	}
	if status, _, _ := s.get("/a"); status != 200 {
		t.Errorf("a public route: %d", status)
	}
}
