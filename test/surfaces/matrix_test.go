package surfaces

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/portreeve/portreeve/test/edge"
)

// question is one cell of the matrix.
type question struct {
	who   *caller
	op    operation
	named []string // X-Tenant-ID
}

func (q question) String() string {
	return fmt.Sprintf("%s by %s, X-Tenant-ID %q", q.op, q.who.name, q.named)
}

// TestWhoMayDoWhat asks every operation as every kind of caller, with every way
// to name a tenant, and compares with the rules.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	ours, theirs, strangers := w.callersOf(t, acme), w.callersOf(t, globex), w.strangers(t)
	w.never = append(w.never, w.stored(t)...)
	all := w.questions(ours, theirs, strangers)
	var opened, refused atomic.Int64
	w.each(all, func(q question) {
		status := w.held(t, q)
		if status == 401 || status == 403 {
			refused.Add(1)
		} else {
			opened.Add(1)
		}
	})
	t.Logf("%d operations, %d callers, %d questions: %d refused, %d heard", len(w.ops), len(ours)+len(theirs)+len(strangers), len(all), refused.Load(), opened.Load())
	if opened.Load() < int64(len(w.ops)) || refused.Load() < int64(len(w.ops)) {
		t.Error("the matrix decides nothing")
	}
	w.silent(t)
}

// questions are every operation by every caller; with another tenant's name by
// everybody who is heard without; and with each way to write the header by those
// who hold something. The kinds of callers of the second tenant, which are those of the
// first, take turns: each operation is asked by every third of them.
func (w *world) questions(ours, theirs, strangers []*caller) (all []question) {
	everybody := append(append(append([]*caller{}, ours...), theirs...), strangers...)
	for i, o := range w.ops {
		for n, c := range everybody {
			if c.costs && i%8 != 0 {
				continue // a few are enough to be refused for the number of them
			}
			if c.tenant == globex && (i+n)%3 != 0 {
				continue
			}
			all = append(all, question{who: c, op: o})
			if status, _ := expect(c, o, nil); status != 0 && !c.costs {
				continue
			}
			if o.byOtherRules() && !c.has("apikeys:write") {
				continue // whom they hear is the same for every role
			}
			other := globex
			if c.tenant == globex {
				other = acme
			}
			all = append(all, question{c, o, []string{other}})
			if c.tenant == acme && (c.has("platform:*") || len(c.holds) == 1) {
				all = append(all, question{c, o, []string{acme}}, question{c, o, []string{acme, acme}}, question{c, o, []string{acme, globex}}, question{c, o, []string{"nowhere"}})
			}
		}
	}
	return all
}

// each asks questions, a few at once.
func (w *world) each(all []question, ask func(question)) {
	var next atomic.Int64
	var working sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		working.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(all)); i = next.Add(1) - 1 {
				ask(all[i])
			}
		})
	}
	working.Wait()
}

// held asks one question and holds the answer to the rules.
func (w *world) held(t testing.TB, q question) int {
	fields := append([]string{}, q.who.fields...)
	for _, n := range q.named {
		fields = append(fields, "X-Tenant-Id: "+n)
	}
	a, err := w.Try(t.Context(), q.op.Method, q.op.at("nobody-at-all"), q.op.body(), fields...)
	if err != nil {
		t.Errorf("%s: %v", q, err)
		return 0
	}
	want, about := expect(q.who, q.op, q.named)
	ruled := q.op.byOtherRules() && want == 0 && a.Status < 500
	switch {
	case ruled: // who may is for its own rules to say
	case want != 0 && a.Status != want:
		t.Errorf("%s: answered %d, expected %d: %s", q, a.Status, want, a.Body)
	case want == 0 && (a.Status == 401 || a.Status == 403 || a.Status == 405 || a.Status >= 500):
		t.Errorf("%s: answered %d, expected to be heard: %s", q, a.Status, a.Body)
	}
	if o := q.op; want == 0 && about == "nowhere" && !q.op.byOtherRules() && a.Status != 404 && (o.reads() || a.Status != 400) {
		t.Errorf("%s: answered %d of a tenant that does not exist: %s", q, a.Status, a.Body)
	}
	w.decent(t, q.String(), a)
	if want == 401 || want == 403 {
		w.refusal(t, q, a)
	}
	for _, of := range []string{acme, globex} {
		if of != about && strings.Contains(whole(a), mark(of)) {
			t.Errorf("%s: the answer shows something of %s: %s", q, of, a.Body)
		}
	}
	return a.Status
}

// decent is what holds for every answer of a surface.
func (w *world) decent(t testing.TB, what string, a edge.Answer) {
	if word := holds(whole(a), w.never) + holds(whole(a), places()); word != "" {
		t.Errorf("%s: the answer holds %q: %s", what, word, a.Body)
	}
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d with Cache-Control %q", what, a.Status, a.Header.Values("Cache-Control"))
	}
	if a.Body != "" && !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		t.Errorf("%s: %d of type %q: %s", what, a.Status, a.Header.Get("Content-Type"), a.Body)
	}
}

// refusal is what holds for every refusal: the surface's shape, and an id under
// which it is found again.
func (w *world) refusal(t testing.TB, q question, a edge.Answer) {
	if len(a.Header.Get("X-Portreeve-Decision")) < 20 {
		t.Errorf("%s: a refusal without a decision id: %v", q, a.Header)
	}
	if challenge := a.Header.Get("Www-Authenticate"); (a.Status == http.StatusUnauthorized) != strings.HasPrefix(challenge, "Bearer") {
		t.Errorf("%s: %d with the challenge %q", q, a.Status, challenge)
	}
	shape, ok := shapes()[q.op.Surface]
	if !ok {
		shape = flat
	}
	if wrong := shape(a); wrong != "" {
		t.Errorf("%s: %s: %s", q, wrong, a.Body)
	}
}

// shapes are how refusals of surfaces look that are not flat. They say what is
// wrong with one, "" for nothing.
func shapes() map[string]func(edge.Answer) string {
	return map[string]func(edge.Answer) string{
		"escrow": func(a edge.Answer) string { // an operator is told why its own tenant is the only one
			if a.Status == 403 && a.Body == `{"error":"Forbidden","message":"Escrow is the caller's own tenant's"}`+"\n" {
				return ""
			}
			return flat(a)
		},
	}
}

func flat(a edge.Answer) string {
	labels := map[int][]string{
		401: {`{"error":"Unauthorized","message":"Invalid or expired token"}`},
		403: {`{"error":"Forbidden","message":"Insufficient permissions"}`},
	}
	for _, l := range labels[a.Status] {
		if a.Body == l+"\n" {
			return ""
		}
	}
	return "not the flat shape"
}

// TestMethodsOfTheInventory: what a path does not answer is 405 with what it
// does, whoever asks; HEAD asks for what GET asks for, and shows no body.
func TestMethodsOfTheInventory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	paths := map[string][]string{}
	for _, o := range w.ops {
		paths[o.Path] = append(paths[o.Path], o.Method)
	}
	for path, methods := range paths {
		listed := strings.Join(methods, " ")
		at := operation{Path: path}.at("nobody-at-all")
		for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NOPE"} {
			for name, fields := range map[string][]string{"nobody": nil, "an admin": {w.admin(acme)}} {
				a, what := w.Ask(t, m, at, "", fields...), m+" "+path+" by "+name
				served := strings.Contains(listed, m) || m == "HEAD" && strings.Contains(listed, "GET")
				if !served {
					allow := a.Header.Get("Allow")
					for _, has := range methods {
						if !strings.Contains(allow, has) {
							t.Errorf("%s: Allow %q lacks %s", what, allow, has)
						}
					}
				}
				switch {
				case !served && a.Status != 405, served && a.Status == 405, served && name == "nobody" && a.Status != 401, served && name == "an admin" && (a.Status == 401 || a.Status == 403):
					t.Errorf("%s: %d %s", what, a.Status, a.Body)
				case m == "HEAD" && a.Body != "":
					t.Errorf("%s: a body: %s", what, a.Body)
				}
				if m != "HEAD" {
					w.decent(t, what, a)
				}
			}
		}
	}
}
