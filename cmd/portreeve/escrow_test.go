package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// A machine fetches the key, checks whose it is, and hands over nothing but what is
// sealed.
func TestAMachineHandsOverASealedSecret(t *testing.T) {
	t.Parallel()
	pubkey, err := os.ReadFile("../../internal/escrow/testdata/vectors/pubkey.json")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	var body map[string]any
	status := 201
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		if strings.Contains(string(raw), "correct horse") {
			t.Error("the plaintext was sent")
		}
		if r.Method == http.MethodGet {
			_, _ = rw.Write(pubkey)
			return
		}
		_ = json.Unmarshal(raw, &body)
		rw.WriteHeader(status)
		if status == 201 {
			_, _ = rw.Write([]byte(`{"id":"sec_1"}`))
		} else {
			_, _ = rw.Write([]byte(`{"error":"Conflict","message":"No tenant key yet"}`))
		}
	}))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("tok_of-the-machine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	seal := func(more ...string) (int, string, string) {
		var out, problem bytes.Buffer
		args := append([]string{"escrow", "seal", "--url", server.URL, "--plain", "--token-file", token, "--machine", "DESK-0042", "--serial", "5CG1", "--kind", "bitlocker"}, more...)
		status := run(args, streams{in: strings.NewReader("correct horse\n"), out: &out, err: &problem, env: func(string) (string, bool) { return "", false }})
		return status, out.String(), problem.String()
	}

	if code, out, problem := seal("--label", "disk C"); code != 0 || out != "sec_1\n" || !strings.Contains(problem, "--signer ") {
		t.Fatalf("%d %q %q", code, out, problem)
	}
	if want := "GET /v1/tenant/pubkey Bearer tok_of-the-machine|POST /v1/secret Bearer tok_of-the-machine"; strings.Join(asked, "|") != want {
		t.Errorf("asked %q", asked)
	}
	s, err := envelope.ParseSealed(body["ciphertext"].(string))
	if err != nil || s.Machine != "5CG1" || s.Kind != "bitlocker" || body["kid"] != s.Kid || body["label"] != "disk C" {
		t.Errorf("%v %+v %v", err, s, body)
	}

	// A key by another signer is not sealed to: nothing is posted.
	asked = nil
	if code, out, problem := seal("--signer", strings.Repeat("A", 43)); code != exitRefused || out != "" || !strings.Contains(problem, "substituted") || len(asked) != 1 {
		t.Errorf("%d %q %q %q", code, out, problem, asked)
	}
	asked = nil
	if code, out, _ := seal("--print"); code != 0 || !strings.HasPrefix(out, "ey") || len(asked) != 1 {
		t.Errorf("%d %q %q", code, out, asked)
	}
	status = 409
	if code, _, problem := seal(); code != exitRefused || !strings.Contains(problem, "409 No tenant key yet") || strings.Contains(problem, "tok_") {
		t.Errorf("%d %q", code, problem)
	}
}

// An export is what somebody else wrote: a machine is found by any name that it has
// had, and nothing of it gets to a terminal as it is.
func TestAnExportThatSomebodyWrote(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../internal/escrow/testdata/vectors/export.json")
	if err != nil {
		t.Fatal(err)
	}
	open := func(change func(part map[string]any), more ...string) (int, string, string) {
		t.Helper()
		var e map[string]any
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		change(e["parts"].(map[string]any)["escrow"].(map[string]any))
		changed, err := json.Marshal(e)
		file := filepath.Join(t.TempDir(), "export.json")
		if err == nil {
			err = os.WriteFile(file, changed, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		var out, problem bytes.Buffer
		code := run(append([]string{"escrow", "open", "--export", file}, more...), streams{in: strings.NewReader("x\n"), out: &out, err: &problem, env: func(string) (string, bool) { return "", false }})
		return code, out.String(), problem.String()
	}
	first := func(part map[string]any, list string) map[string]any { return part[list].([]any)[0].(map[string]any) }
	if code, out, problem := open(func(p map[string]any) { first(p, "machines")["hostnames"] = []string{"OLD-1", "OLD-2"} }, "--list", "--machine", "old-1."); code != 0 || !strings.Contains(out, "sec_1") {
		t.Errorf("by a name of before: %d %q %q", code, out, problem)
	}
	const evil = "\x1b]0;pwn\x07\x1b[2J"
	if code, out, problem := open(func(p map[string]any) {
		first(p, "keys")["kid"], first(p, "keys")["wrappings"], first(p, "secrets")["kid"] = evil, []any{}, evil
	}, "--passphrase-file", "-", "sec_1"); code != exitRefused || strings.ContainsAny(out+problem, "\x1b\x07") || !strings.Contains(problem, "no wrapping of the key") {
		t.Errorf("%d %q %q", code, out, problem)
	}
}

// Who pins nothing but remembers the key takes no other signing key for it, unless
// the one that was seen before wants it.
func TestAKeyThatWasSeenBefore(t *testing.T) {
	t.Parallel()
	const vectors = "../../internal/escrow/testdata/vectors/"
	next, err := os.ReadFile(vectors + "pubkey-next.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	seal := func(key, seen string, more ...string) (int, string) {
		var out, problem bytes.Buffer
		args := append([]string{"escrow", "seal", "--key", key, "--seen", filepath.Join(dir, seen), "--machine", "DESK-0042", "--kind", "bitlocker"}, more...)
		code := run(args, streams{in: strings.NewReader("correct horse\n"), out: &out, err: &problem, env: func(string) (string, bool) { return "", false }})
		return code, problem.String()
	}
	for _, seen := range []string{"honest", "not"} {
		if code, problem := seal(vectors+"pubkey.json", seen); code != 0 {
			t.Fatal(problem)
		}
	}
	if code, problem := seal(vectors+"pubkey-next.json", "honest"); code != 0 {
		t.Errorf("a rotation that is signed: %d %s", code, problem)
	}
	var m map[string]any
	if err := json.Unmarshal(next, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "authorization")
	raw, err := json.Marshal(m)
	other := filepath.Join(dir, "other.json")
	if err == nil {
		err = os.WriteFile(other, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, problem := seal(other, "not"); code != exitRefused || !strings.Contains(problem, "another signing key than the one that was seen") {
		t.Errorf("one that is not: %d %s", code, problem)
	}
	if code, problem := seal(other, "not", "--signer", m["signingKey"].(map[string]any)["kid"].(string)); code != 0 {
		t.Errorf("one that somebody told: %d %s", code, problem)
	}
	if code, problem := seal(vectors+"pubkey.json", "not"); code != exitRefused || !strings.Contains(problem, "rolled back") {
		t.Errorf("the one before: %d %s", code, problem)
	}
}
