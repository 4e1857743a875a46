package flows

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/internal/demo"
	"github.com/portreeve/portreeve/test/peer"
)

func startDemo(t *testing.T) *demo.Demo {
	t.Helper()
	d, err := demo.Start(demo.Options{Listen: "127.0.0.1:0", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	return d
}

func TestTheDemoShowsWhatItSays(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	for _, r := range demo.Requests() {
		t.Run(r.Who+" "+r.Method+" "+r.Path, func(t *testing.T) {
			res, err := d.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != r.Status {
				t.Errorf("status %d, the tour says %d", res.StatusCode, r.Status)
			}
		})
	}
}

// The lines that the tour prints are pasted into a shell, as people do.
func TestTheToursLinesRunInAShell(t *testing.T) {
	t.Parallel()
	peer.Program(t, "curl")
	d := startDemo(t)
	var tour strings.Builder
	if err := d.Tour(&tour, false); err != nil {
		t.Fatal(err)
	}
	ran, want := 0, 0
	steps := slices.Concat(d.Steps(), d.SharedSteps())
	for line := range strings.Lines(tour.String()) {
		line = strings.TrimSpace(line)
		if number, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), " "); ok && strings.HasPrefix(line, "# ") {
			want, _ = strconv.Atoi(number)
		}
		if !strings.HasPrefix(line, "curl ") || slices.ContainsFunc(steps, func(s demo.Step) bool { return s.Line == line }) {
			continue
		}
		ran++
		out, err := exec.CommandContext(t.Context(), "sh", "-c", line+" -o /dev/null -w '%{http_code}'").CombinedOutput()
		if code := string(out); err != nil || !strings.HasSuffix(code, strconv.Itoa(want)) {
			t.Errorf("%s\ncame to %s (%v), the tour says %d", line, code, err, want)
		}
	}
	if ran != len(demo.Requests()) {
		t.Errorf("the tour prints %d lines for %d requests", ran, len(demo.Requests()))
	}
	runSteps(t, steps)
	followLink(t, d)
	if text := tour.String(); !strings.Contains(text, "docs:write") || !strings.Contains(text, "portreeve explain") {
		t.Errorf("the tour does not explain the refusal:\n%s", text)
	}
}

// runSteps pastes the life of a key and what people share, with the command on the path.
func runSteps(t *testing.T, steps []demo.Step) {
	t.Helper()
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/portreeve", "github.com/portreeve/portreeve/cmd/portreeve").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, step := range steps {
		line := step.Line
		if step.Status != 0 {
			line += " -o /dev/null -w '%{http_code}'"
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil || step.Status != 0 && !strings.HasSuffix(string(out), strconv.Itoa(step.Status)) {
			t.Errorf("%s\ncame to %s (%v), the tour says %d", step.Line, out, err, step.Status)
		}
	}
}

// followLink opens the printed link as a browser does, with curl: it keeps Secure
// cookies of localhost.
func followLink(t *testing.T, d *demo.Demo) {
	t.Helper()
	jar := t.TempDir() + "/cookies"
	home, _, _ := strings.Cut(d.Link, "/.portreeve")
	for _, c := range []struct{ args, want string }{
		{d.Link, "<form"},
		{"-X POST -H 'Sec-Fetch-Site: same-origin' -o /dev/null " + d.Link, ""},
		{home + "/", `"you":"usr_`},
		{home + "/.portreeve/whoami", `"roles":["editor"]`},
		{home + "/.portreeve/sessions", `"current":true`},
		{home + "/api/agents", `"data"`},
	} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "curl -s -b "+jar+" -c "+jar+" "+c.args).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s\ncame to %s (%v), not %s", c.args, out, err, c.want)
		}
	}
}
