package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/shares"
	"github.com/portreeve/portreeve/internal/escrow/web"
)

// The page has a policy as the portal's is to be, and the modules get along with it.
const escrowPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

const escrowPage = `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Escrow</title><h1>Escrow</h1><script type="module" src="/page.js"></script>`

const escrowScript = `import * as escrow from "/escrow.js";
import { exercise } from "/exercise.mjs";
const [good, hostile] = await Promise.all(["good", "hostile"].map(async (name) => (await fetch("/" + name + ".json")).json()));
const text = async (name) => (await fetch("/" + name)).text();
globalThis.report = await exercise(escrow, { good, hostile }).then(async (r) => {
  const words = await escrow.loadWords(text);
  const ranks = escrow.readRanks(await text("ranks.txt"));
  for (let i = 0; i < 50; i++) {
    const passphrase = escrow.generatePassphrase(words);
    if (!escrow.checkPassphrase(passphrase, ranks).ok || passphrase.split("-").length !== 6) r.failures.push("a generated passphrase will not do: " + passphrase);
  }
  return r;
}, (e) => ({ failures: [e.stack] }));`

// What Chromium made of the module: it opens every vector, refuses the hostile
// ones, and the command line opens what it makes.
func TestEscrowInABrowser(t *testing.T) {
	t.Parallel()
	const vectors = "../../internal/escrow/testdata/vectors"
	modules := http.FileServerFS(web.Files())
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", escrowPolicy)
		switch name := filepath.Base(r.URL.Path); name {
		case "/":
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(rw, escrowPage)
		case "page.js", "exercise.mjs":
			rw.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			if name == "page.js" {
				fmt.Fprint(rw, escrowScript)
				return
			}
			http.ServeFile(rw, r, "../vectors/exercise.mjs")
		case "good.json", "hostile.json":
			http.ServeFile(rw, r, filepath.Join(vectors, name))
		default:
			modules.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(page.Close)
	b := open(t, chromium(t), page.URL).goTo(page.URL + "/").shows("Escrow")
	for end := time.Now().Add(6 * patience); !eval[bool](b, `globalThis.report !== undefined`); <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the module is not done")
		}
	}
	var r struct {
		Failures []string
		Made     struct {
			Sealed []struct {
				Answer struct {
					Kid, Ciphertext, Tenant, Kind string
					Machine                       struct{ ID, Serial, Hostname string }
				}
				Secret string
				Bound  bool
			}
			Wrapped  []struct{ Kid, Wrapped, Passphrase string }
			Recovery []struct {
				Kid, Sealed string
				Shares      []string
			}
		}
	}
	if err := json.Unmarshal([]byte(eval[string](b, `JSON.stringify(globalThis.report)`)), &r); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Failures {
		t.Error(f)
	}
	if len(r.Made.Sealed) == 0 || len(r.Made.Wrapped) == 0 || len(r.Made.Recovery) == 0 {
		t.Fatal("it made nothing")
	}

	keys := map[string]*ends.Key{}
	for _, w := range r.Made.Wrapped {
		k, err := ends.Unwrap(w.Wrapped, w.Kid, w.Passphrase)
		if err != nil {
			t.Fatalf("a wrapping of Chromium's: %v", err)
		}
		keys[w.Kid] = k
	}
	for _, x := range r.Made.Recovery {
		var list []shares.Share
		for _, text := range x.Shares[1:4] {
			s, err := shares.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, s)
		}
		if _, err := ends.Restore(x.Sealed, x.Kid, list); err != nil {
			t.Errorf("shares of Chromium's: %v", err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(vectors, "good.json"))
	if err != nil {
		t.Fatal(err)
	}
	var known struct {
		Wrapped []struct{ Kid, Wrapped, Passphrase, By string }
	}
	if err := json.Unmarshal(raw, &known); err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Made.Sealed {
		a := x.Answer
		for _, w := range known.Wrapped {
			if keys[a.Kid] == nil && w.Kid == a.Kid {
				if keys[a.Kid], err = ends.Unwrap(w.Wrapped, w.Kid, w.Passphrase); err != nil {
					t.Fatal(err)
				}
			}
		}
		o, err := keys[a.Kid].Open(a.Ciphertext, ends.Listed{Kid: a.Kid, Tenant: a.Tenant, Kind: a.Kind, MachineID: a.Machine.ID, Serial: a.Machine.Serial, Hostnames: []string{a.Machine.Hostname}})
		if err != nil || string(o.Secret) != x.Secret || o.Bound != x.Bound {
			t.Errorf("a secret that Chromium sealed: %v", err)
		}
	}
}
