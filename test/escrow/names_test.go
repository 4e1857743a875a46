package escrow

import (
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/test/edge"
)

// TestWhateverIsTakenOpens: a bound secret that the server takes must open under
// the machine that it is listed under, by whatever name it was sealed, and still
// when the machine has another name.
func TestWhateverIsTakenOpens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		k := w.onboarded(t, "plinth gravel otter sunday mosaic tin")
		kept, refused := map[string]string{}, 0
		send := func(what, name string, machine any) {
			t.Helper()
			c := must(ends.Seal(k.Public, ends.Binding{Tenant: acme, Machine: name, Kind: "local-admin"}, []byte(w.plain("plaintext", "Tr0ub4dor&3: "+what))))
			a := w.Ask(t, "POST", "/v1/secret", object("machine", machine, "kind", "local-admin", "ciphertext", c), w.machine)
			switch {
			case a.Status == 201:
				kept[what] = str(edge.Decode[map[string]any](t, a), "id")
			case a.Status == 400 && strings.Contains(a.Body, "is sealed for an id or serial that is not the machine's here"):
				refused++
			default:
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
		m := func(pairs ...any) map[string]any {
			out := map[string]any{}
			for i := 0; i < len(pairs); i += 2 {
				out[pairs[i].(string)] = pairs[i+1]
			}
			return out
		}
		send("a hostname", "PC-1", "PC-1")
		send("its other case", "pc-1.", "PC-1")
		send("its serial", "5CG1", m("serial", "5CG1", "hostname", "PC-1"))
		send("an id of its own making", "asset-17", m("id", "asset-17", "hostname", "PC-1"))
		id := str(w.want(t, 201, w.machine, "POST /v1/report", `{"machine":{"serial":"5CG1","hostname":"PC-1"},"run":{"id":"r","status":"running"}}`), "machineId")
		send("the server's id", id, m("id", id, "hostname", "PC-1"))
		send("another's serial", "5CG2", m("id", id, "serial", "5CG2", "hostname", "PC-1"))
		send("a new name", "PC-1-NEW", m("serial", "5CG1", "hostname", "PC-1-NEW"))
		send("a newer name", "PC-1-NEWER", m("serial", "5CG1", "hostname", "PC-1-NEWER"))
		send("the first name again", "PC-1", m("serial", "5CG1", "hostname", "PC-1"))
		if len(kept) != 7 || refused != 2 {
			t.Errorf("%d were kept, %d refused", len(kept), refused)
		}
		for what, id := range kept {
			if _, err := w.opens(t, "member", id, k); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
