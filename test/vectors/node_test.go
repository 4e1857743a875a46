package vectors

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/portreeve/portreeve/internal/escrow/web"
	"github.com/portreeve/portreeve/test/peer"
)

// report is what exercise.mjs found, and what it made.
type report struct {
	Failures []string `json:"failures"`
	Made     good     `json:"made"`
}

// runNode runs the browser module, and jose beside it, in Node.
func runNode(t testing.TB, what string) (r report) {
	t.Helper()
	dir := peer.Node(t, "jose")
	abs := func(path string) string { return must(filepath.Abs(path)) }
	asked := map[string]any{"module": abs("../../internal/escrow/web/escrow.js"), "exercise": abs("exercise.mjs"), "good": read[good](t, "good.json"), "keys": read[[]tenantKey](t, "keys.json")}
	if what == "check" {
		asked["hostile"] = read[[]hostile](t, "hostile.json")
	}
	cmd := exec.CommandContext(t.Context(), "node", "--no-warnings", "escrow.mjs")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(must(json.Marshal(asked)))
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.String())
	}
	for _, f := range r.Failures {
		t.Error(f)
	}
	return r
}

func TestNodeAndJose(t *testing.T) {
	t.Parallel()
	r := runNode(t, "check")
	if len(r.Made.Sealed) == 0 || len(r.Made.Wrapped) == 0 || len(r.Made.Recovery) == 0 || len(r.Made.Chains) == 0 {
		t.Fatalf("nothing was made: %+v", r)
	}
	r.Made.opens(t, opened(t))
}

// What the browser accepts as a passphrase has zxcvbn's score 4.
func TestPassphrases(t *testing.T) {
	t.Parallel()
	dir := peer.Node(t, "zxcvbn")
	rounds, seed := "250", strconv.Itoa(int(rand.Int32()))
	if more := os.Getenv("PORTREEVE_ROUNDS"); more != "" {
		rounds = more
	}
	cmd := exec.CommandContext(t.Context(), "node", "--no-warnings", "passphrases.mjs", must(filepath.Abs("../../internal/escrow/web")), rounds, seed)
	cmd.Dir = dir
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	var r struct {
		Failures       []string `json:"failures"`
		Accepted, Four int
	}
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.String())
	}
	for _, f := range r.Failures {
		t.Errorf("seed %s: %s", seed, f)
	}
	t.Logf("of %s passphrases as people make them %d have score 4, and %d are accepted", rounds, r.Four, r.Accepted)
}

// The list that passphrases are judged by is what its generator writes.
func TestRanksAreAsGenerated(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "node", "ranks.mjs")
	cmd.Dir = peer.Node(t, "zxcvbn")
	want, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, must(fs.ReadFile(web.Files(), "ranks.txt"))) {
		t.Error("internal/escrow/web/ranks.txt is not what test/npm/ranks.mjs writes")
	}
}
