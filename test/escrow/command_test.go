package escrow

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/test/peer"
)

// TestBreakGlassFromTheWrongHands: `portreeve escrow open`, given an export of a
// store that somebody changed, shows nothing that was swapped, and says so.
func TestBreakGlassFromTheWrongHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite:portreeve.db")
	dir, program := t.TempDir(), peer.Portreeve(t)
	const passphrase = "plinth gravel otter sunday mosaic tin"
	k := w.onboarded(t, passphrase)
	one := w.sealed(t, "PC-1", "local-admin", "Tr0ub4dor&3-of-PC-1")
	two := w.sealed(t, "PC-2", "local-admin", "c0rrect-horse-of-PC-2")
	write := func(name, text string) string {
		t.Helper()
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	phrase := write("phrase", passphrase+"\n")
	open := func(pin, id string) (out, said string, err error) {
		t.Helper()
		export := write("export.json", string(must(json.Marshal(must(w.host.Export(t.Context(), acme))))))
		cmd := exec.CommandContext(t.Context(), program, "escrow", "open", "--export", export, "--passphrase-file", phrase, "--signer", pin, id)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err = cmd.Run()
		return stdout.String(), stderr.String(), err
	}
	refused := func(what, pin, id, words string) {
		t.Helper()
		if out, said, err := open(pin, id); err == nil || out != "" || !strings.Contains(said, words) {
			t.Errorf("%s: %q, %q, %v; want %q", what, out, said, err, words)
		}
	}
	if out, said, err := open(k.Signer.Kid, one); err != nil || strings.TrimSpace(out) != "Tr0ub4dor&3-of-PC-1" {
		t.Fatalf("untouched: %q %q %v", out, said, err)
	}
	refused("another pin", w.key(1).Signer.Kid, one, "not signed by the pinned signing key")
	w.swaps(t, one, two)
	refused("swapped between machines", k.Signer.Kid, one, `it was sealed for the machine "PC-2" and is listed under "PC-1"`)
	w.swaps(t, one, two)

	// A renamed machine's secret still opens.
	id := str(list(w.want(t, 200, w.as("viewer"), "GET /v1/machines?search=pc-1", ""), "data")[0], "id")
	var renamed string
	for _, host := range []string{"PC-1-NEW", "PC-1-NEWER", "PC-1-NEWEST"} {
		c := must(ends.Seal(k.Public, ends.Binding{Tenant: acme, Machine: host, Kind: "local-admin"}, []byte(w.plain("plaintext", "Tr0ub4dor&3-of-"+host))))
		x := str(w.want(t, 201, w.machine, "POST /v1/secret", object("machine", map[string]any{"id": id, "hostname": host}, "kind", "local-admin", "ciphertext", c)), "id")
		if renamed == "" {
			renamed = x
		}
	}
	if out, said, err := open(k.Signer.Kid, renamed); err != nil || strings.TrimSpace(out) != "Tr0ub4dor&3-of-PC-1-NEW" {
		t.Errorf("by a name of before: %q %q %v", out, said, err)
	}

	is := w.column(t, `SELECT public_jwk FROM escrow_keys`)[0]
	w.change(t, `UPDATE escrow_keys SET public_jwk = $1`, string(w.key(3).Public.JWK))
	refused("another public key", k.Signer.Kid, one, w.key(3).Public.Kid) // it names both
	w.change(t, `UPDATE escrow_keys SET public_jwk = $1`, is)
	wrapped := w.column(t, `SELECT wrapped FROM escrow_wrappings`)[0]
	w.change(t, `UPDATE escrow_wrappings SET wrapped = $1`, jwe(object("alg", "PBES2-HS512+A256KW", "enc", "A256GCM", "p2s", enc(make([]byte, 16)), "p2c", 1<<31-1), 40))
	refused("endless rounds", k.Signer.Kid, one, "p2c a whole number")
	w.change(t, `UPDATE escrow_wrappings SET wrapped = $1`, wrapped)
	write("phrase", w.plain("wrong passphrase", "plinth gravel otter monday mosaic tin")+"\n")
	refused("a wrong passphrase", k.Signer.Kid, one, "passphrase is wrong")
	w.silent(t)
}
