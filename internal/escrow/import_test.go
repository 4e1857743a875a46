package escrow

import (
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/store"
)

func (h *house) importKey(b *browser, at time.Time) {
	h.t.Helper()
	if err := h.db.Tx(h.t.Context(), func(tx *store.Tx) error {
		_, err := h.s.ImportKey(tx, By{Tenant: "main", Actor: audit.Actor{Kind: audit.Host}}, KeyRow{Public: b.public,
			Wrapped: `{"salt":"` + enc(make([]byte, 16)) + `","iv":"` + enc(make([]byte, 12)) + `","ct":"` + enc(make([]byte, 1200)) + `","iterations":310000}`, CreatedAt: at})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
}

// An imported key that was signed stays the current one.
func TestAnImportAfterTheKeyWasSigned(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, second := newBrowser(3), newBrowser(1)
		h.importKey(first, time.Time{})
		v := h.keyFor("admin", first, nil)
		v["replaces"] = first.kid
		h.want(201, h.as("admin"), "POST /v1/tenant/key", text(v))
		h.importKey(second, time.Now().Add(time.Hour*10000))
		if m := h.want(200, h.machine, "GET /v1/tenant/pubkey", ""); m["kid"] != first.kid {
			t.Errorf("machines are given %v, which nobody signed", m)
		}
		for _, k := range h.want(200, h.as("admin"), "GET /v1/tenant/key?wrappings=false", "")["keys"].([]any) {
			if at := k.(map[string]any)["createdAt"].(string); at > time.Now().Add(time.Minute).UTC().Format(stamp) {
				t.Errorf("a key is of %s", at)
			}
		}
	})
}
