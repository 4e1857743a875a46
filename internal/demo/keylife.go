package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Step is a line of the tour that is to be pasted in its turn.
type Step struct {
	Line   string
	Status int // of a request; 0: it is none
	Shows  string
}

// Steps are the life of an API key, for a tenant of the visitor's own. The store
// is written beside the process that serves it, which takes changes up by itself
// within a second: hence the pauses.
func (d *Demo) Steps() []Step {
	const of = "globex"
	at := " -c " + d.Config
	file := func(name string) string { return filepath.Join(d.Dir, name) }
	keep := func(command, name string) string {
		return "printf 'x-api-key: %s\\n' \"$(portreeve keys " + command + at + " --tenant " + of + ")\" > " + file(name)
	}
	ask := func(name, options string) string {
		return "sleep 1; curl -s" + options + " -H @" + file(name) + " " + d.URL + "/docs/7"
	}
	return []Step{
		{"portreeve tenants create " + of + at, 0, "a tenant"},
		{keep("create --name ci --scope docs:read", "ci"), 0, "a key for it: shown this once, kept as a hash"},
		{ask("ci", ""), 200, "its scope is enough"},
		{keep("rotate ci", "ci.new"), 0, "another secret for the same key (--grace 1h would leave both)"},
		{ask("ci", " -i"), 401, "the old one is refused"},
		{ask("ci.new", ""), 200, "the new one is not"},
		{"portreeve keys revoke ci" + at + " --tenant " + of, 0, "the key ends"},
		{ask("ci.new", " -i"), 401, "and opens nothing"},
		{"portreeve audit tail" + at + " --tenant " + of, 0, "who did what"},
	}
}

// keyLife does the same by itself, for a tenant of the demo's, and prints the
// trail that it leaves.
func (d *Demo) keyLife(w io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	h, err := app.OpenHost(ctx, d.source(), app.HostOptions{Who: "demo", Log: io.Discard})
	if err != nil {
		return err
	}
	defer func() { _ = h.Close() }()
	const of = "acme"
	if _, err := h.Tenants.Create(ctx, h.By(), tenant.NewTenant{ID: of}); err != nil {
		return err
	}
	made, err := h.APIKeys.Create(ctx, h.KeyBy(), of, apikey.Draft{
		Name: input.Optional[string]{Set: true, Value: "ci"}, Scopes: input.Optional[[]string]{Set: true, Value: []string{"docs:read"}}})
	if err == nil {
		err = d.until(ctx, made.Token, http.StatusOK)
	}
	if err != nil {
		return err
	}
	second, err := h.APIKeys.Rotate(ctx, h.KeyBy(), of, made.ID, 0)
	if err == nil {
		err = d.until(ctx, made.Token, http.StatusUnauthorized)
	}
	if err == nil {
		err = d.until(ctx, second.Token, http.StatusOK)
	}
	if err == nil {
		err = h.APIKeys.Revoke(ctx, h.KeyBy(), of, made.ID)
	}
	if err == nil {
		err = d.until(ctx, second.Token, http.StatusUnauthorized)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nA tenant, %s, got an API key %s…, which opened GET /docs/7. Rotated, its old secret\n"+
		"got 401 and the new one 200; revoked, both got 401. The audit trail of it:\n\n", of, made.Prefix)
	return h.Audit.Tail(ctx, audit.Scope{Tenant: of}, 10, false, func(r audit.Record) error {
		_, err := fmt.Fprintf(w, "  %s  %s  %s  by %s\n", r.Time, r.Action, r.Target, strings.TrimSpace(r.Actor.Kind+" "+r.Actor.ID))
		return err
	})
}

// until asks for a document with a key until the answer has that status: what
// another process writes is taken up within a second.
func (d *Demo) until(ctx context.Context, key secret.Value, status int) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+"/docs/7", nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Api-Key", key.Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode == status {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("an API key got %s, not %d", resp.Status, status)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
