package flows

import (
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/demo"
	"github.com/portreeve/portreeve/test/peer"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	peer.Program(t, "curl")
	bin := peer.Portreeve(t)
	for name, tests := range map[string][]func(t *testing.T, d *demo.Demo){
		"the tour's lines run in a shell":    {linesRunInAShell},
		"a group of the tour runs as a file": {groupsRunAsFiles},
		"what it prints, makes and links to": {tourIsOneScreen, readmeShowsIt, filesAreTheOwners, followLink},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, bin)
			for _, test := range tests {
				test(t, d)
			}
		})
	}
}

// A port that is taken is said, and the folder goes all the same.
func TestDemoWhosePortIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := demo.Start(demo.Options{Listen: l.Addr().String(), Log: io.Discard})
	if err == nil {
		t.Fatal(d.Close())
	}
	if !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

func startDemo(t *testing.T, bin string) *demo.Demo {
	t.Helper()
	d, err := demo.Start(demo.Options{Listen: "127.0.0.1:0", Log: io.Discard, Program: bin})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
		if _, err := os.Stat(d.Dir); !os.IsNotExist(err) {
			t.Errorf("%s is left behind (%v)", d.Dir, err)
		}
	})
	return d
}

// The tour's lines are pasted into a shell, as people do: those of the screen first,
// in its order, then every group whole.
func linesRunInAShell(t *testing.T, d *demo.Demo) {
	var tour strings.Builder
	if err := d.Tour(&tour, false); err != nil {
		t.Fatal(err)
	}
	groups, printed := d.Groups(), map[string]bool{}
	for line := range strings.Lines(tour.String()) {
		line = strings.TrimSpace(line)
		first, _, _ := strings.Cut(line, " ")
		if first != "curl" && first != "./portreeve" {
			continue
		}
		printed[line] = true
		step := demo.Step{Line: line}
		for _, g := range groups {
			if i := slices.IndexFunc(g.Steps, func(s demo.Step) bool { return s.Line == line && s.Top }); i >= 0 {
				step = g.Steps[i]
			}
		}
		if first == "curl" && step.Status == 0 {
			t.Errorf("the tour prints a line of no group: %s", line)
		}
		run(t, d, step)
	}
	for _, g := range groups {
		for _, s := range g.Steps {
			if s.Top && !printed[s.Line] {
				t.Errorf("the tour does not print %s", s.Line)
			}
			run(t, d, s)
		}
	}
}

// What the README says that `make run` and `portreeve explain` print, they print:
// "…" stands for anything within a line, alone for any lines.
func readmeShowsIt(t *testing.T, d *demo.Demo) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for i, part := range strings.Split(string(raw), "```") {
		if text, plain := strings.CutPrefix(part, "\n"); i%2 == 1 && plain {
			blocks = append(blocks, text)
		}
	}
	if len(blocks) != 2 {
		t.Fatalf("the README has %d blocks of output", len(blocks))
	}
	var tour strings.Builder
	if err := d.Tour(&tour, false); err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`--id ([0-9a-f]+)`)
	explained := exec.CommandContext(t.Context(), "./portreeve", "explain", "--id", id.FindStringSubmatch(tour.String())[1])
	explained.Dir = d.Dir
	why, err := explained.Output()
	if err != nil {
		t.Fatal(err)
	}
	usual := strings.NewReplacer(strings.TrimPrefix(d.URL, "http://"), "127.0.0.1:8787", ".localhost:"+d.URL[strings.LastIndexByte(d.URL, ':')+1:], ".localhost:8787", d.Dir, "DIR")
	same := func(block, got string) {
		block = regexp.MustCompile(`/tmp/portreeve-demo-[0-9]+`).ReplaceAllString(strings.TrimPrefix(block, "$ make run\n"), "DIR")
		expr := regexp.QuoteMeta(id.ReplaceAllString(block, "--id …"))
		expr = regexp.MustCompile(`(?m)^…\n`).ReplaceAllString(expr, "(?:.*\n)*?")
		expr = strings.ReplaceAll(expr, "…", ".*")
		if got = usual.Replace(got); !regexp.MustCompile(`\A` + expr + `\z`).MatchString(got) {
			t.Errorf("the README says\n%s\nand it printed\n%s", block, got)
		}
	}
	same(blocks[0], tour.String())
	same(blocks[1], string(why))
}

// run pastes a line in the demo's folder.
func run(t *testing.T, d *demo.Demo, step demo.Step) {
	t.Helper()
	line := step.Line
	if step.Status != 0 {
		line += " -o /dev/null -w '%{http_code}'"
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = d.Dir
	out, err := cmd.CombinedOutput()
	if err != nil || step.Status != 0 && !strings.HasSuffix(string(out), strconv.Itoa(step.Status)) {
		t.Errorf("%s\ncame to %s (%v), the tour says %d", step.Line, out, err, step.Status)
	}
}

// A group is run by one command, which shows each line and what comes of it.
func groupsRunAsFiles(t *testing.T, d *demo.Demo) {
	for name, want := range map[string][]string{
		"who":     {"# 403", "Insufficient permissions", `"user_id":"alice"`},
		"sign-in": {`"access_token"`, `{"error":"unauthorized"}`, "mfa_required", `"plan":"gold"`},
		"links":   {`"target":"demo://invite/anna?from=curl"`, `"platform":"android"`, "appIDs", "sha256_cert_fingerprints"},
		"texts":   {`{"sent":true}`, `"To":"+12015550123"`, "region_not_allowed", "origin_not_allowed"},
		"escrow":  {`{"ok":true`, "No tenant key yet", `"kid"`, "sealed by laptop-7 for admin-password", "\nTr0ub4dor&3\n", "\nno\n", "secret.revealed", "laptop-7 is locked out"},
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-v", "tour/"+name)
		cmd.Dir = d.Dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("tour/%s shows nothing of %s:\n%s", name, w, out)
			}
		}
	}
}

// Whoever starts the demo sees all of it at once, and nothing there says more than
// a line can hold but what is pasted.
func tourIsOneScreen(t *testing.T, d *demo.Demo) {
	var tour strings.Builder
	if err := d.Tour(&tour, false); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(tour.String(), "\n"); n > 60 {
		t.Errorf("the tour has %d lines", n)
	}
	for line := range strings.Lines(tour.String()) {
		if n := utf8.RuneCountInString(line); n > 120 && !strings.HasPrefix(line, "  curl ") && !strings.HasPrefix(line, "  http") {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
	for _, want := range []string{"missing: docs:write", "risk_castle", "./portreeve explain --id", d.Dir} {
		if !strings.Contains(tour.String(), want) {
			t.Errorf("the tour says nothing of %s:\n%s", want, tour.String())
		}
	}
}

// What the folder holds is its owner's alone: there are everybody's credentials in it.
func filesAreTheOwners(t *testing.T, d *demo.Demo) {
	out, err := exec.CommandContext(t.Context(), "find", d.Dir, "-perm", "/077", "!", "-type", "l").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("others may look into %s (%v)", out, err)
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
