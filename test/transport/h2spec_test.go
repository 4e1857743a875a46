package transport

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// h2specAddr is where the process that h2spec runs in finds Portreeve. It runs
// in one of its own, since it prints as it goes and ends its process on errors.
const h2specAddr = "PORTREEVE_H2SPEC"

// deviations are h2spec's cases that fail, and why. They are net/http's, and
// none of them lets a request through that should not pass.
var deviations = map[string]string{
	"http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE":                                          "net/http ends a connection that sets the same thing twice in one frame",
	"http2/8.1.2.2: Sends a HEADERS frame that contains the connection-specific header field":                     "net/http answers 400 where a reset of the stream is asked for",
	`http2/8.1.2.2: Sends a HEADERS frame that contains the TE header field with any value other than "trailers"`: "likewise",
}

// Every case of h2spec, the strict ones too, through the front.
func TestH2spec(t *testing.T) {
	t.Parallel()
	if addr := os.Getenv(h2specAddr); addr != "" {
		runH2spec(t, addr)
		return
	}
	e := h2Edge(t, "")
	cmd := exec.Command(os.Args[0], "-test.run=^TestH2spec$", "-test.v")
	cmd.Env = append(os.Environ(), h2specAddr+"="+e.Addr)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "h2spec ran") {
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "✔") {
				t.Log(strings.TrimRight(line, "\n"))
			}
		}
		t.Error(err)
	}
	served(t, e, "after h2spec")
}

func runH2spec(t *testing.T, addr string) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	c := &config.Config{Host: host, Port: port, Path: "/x", Timeout: 2 * time.Second, MaxHeaderLen: 4000, Strict: true, TLS: true, Insecure: true}
	ran, failed := 0, map[string]bool{}
	var look func(g *spec.TestGroup)
	look = func(g *spec.TestGroup) {
		for _, tc := range append(g.Tests, g.StrictTests...) {
			if tc.Result == nil || tc.Result.Skipped {
				continue
			}
			ran++
			name := g.ID() + ": " + tc.Desc
			if !tc.Result.Failed {
				continue
			}
			failed[name] = true
			if _, known := deviations[name]; !known {
				t.Errorf("%s\n%v", name, tc.Result.Error)
			}
		}
		for _, sub := range g.Groups {
			look(sub)
		}
	}
	for _, g := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		g.Test(c)
		look(g)
	}
	for name := range deviations {
		if !failed[name] {
			t.Errorf("%s holds now; take it off the list", name)
		}
	}
	if ran < 140 {
		t.Errorf("only %d cases ran", ran)
	}
	t.Logf("h2spec ran %d cases, %d deviate", ran, len(failed))
}
