package demo

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/explain"
)

// Tour prints who can do what as curl lines, makes the last request itself and
// explains its refusal.
func (d *Demo) Tour(w io.Writer, colour bool) error {
	fmt.Fprintf(w, "Portreeve answers on %s, in front of an OpenID Connect issuer, a Cloudflare\n"+
		"Access team and an application, all stand-ins on this machine.\n\nThe people (each one's live token is in a file):\n\n", d.URL)
	for _, p := range everybody {
		fmt.Fprintf(w, "  %-6s %s\n", p.name, p.is)
	}
	fmt.Fprintf(w, "\nIn a browser, what may be asked of it, and by whom:\n\n  %s/reference\n", d.URL)
	fmt.Fprintf(w, "\nIn a browser on this machine too: this signs erin in, an editor, once and within ten\nminutes. Then / says who you are, and /.portreeve/sessions lists your sessions:\n\n  %s\n", d.Link)
	fmt.Fprintf(w, "\nPaste any of these into another terminal:\n\n")
	requests := Requests()
	for _, r := range requests {
		fmt.Fprintf(w, "  # %d  %s\n  %s\n", r.Status, r.Shows, d.Curl(r))
	}
	if err := d.keyLife(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe same with your own hands, line by line:\n\n")
	printSteps(w, d.Steps())
	fmt.Fprintf(w, "\nA second factor, and an agent that is shared, line by line:\n\n")
	printSteps(w, d.SharedSteps())
	last := requests[len(requests)-1]
	rec, err := d.refused(last)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nThe last of the requests further up has just been tried. Why was it refused?\n\n  portreeve explain -c %s --id %s\n\n", d.Config, rec.ID)
	explain.Text(w, *rec, colour)
	fmt.Fprintf(w, "\nThe configuration is %s; `portreeve check -c` it to see who opens what.\nStop with Ctrl-C: the folder goes with it.\n", d.Config)
	return nil
}

func printSteps(w io.Writer, steps []Step) {
	for _, step := range steps {
		came := step.Shows
		if step.Status != 0 {
			came = fmt.Sprintf("%d  %s", step.Status, step.Shows)
		}
		fmt.Fprintf(w, "  # %s\n  %s\n", came, step.Line)
	}
}

// Curl is the command line of a request.
func (d *Demo) Curl(r Request) string {
	var b strings.Builder
	b.WriteString("curl -s --path-as-is")
	if r.Status >= 300 {
		b.WriteString(" -i")
	}
	if r.Method != "GET" {
		b.WriteString(" -X " + r.Method)
	}
	if r.Who != "" {
		b.WriteString(" -H @" + filepath.Join(d.Dir, r.Who))
	}
	b.WriteString(" " + d.URL + r.Path)
	return b.String()
}

// Do makes a request of the tour.
func (d *Demo) Do(r Request) (*http.Response, error) {
	req, err := http.NewRequest(r.Method, d.URL+r.Path, nil)
	if err != nil {
		return nil, err
	}
	if r.Who != "" {
		line, err := os.ReadFile(filepath.Join(d.Dir, r.Who))
		if err != nil {
			return nil, err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
		req.Header.Set(name, value)
	}
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return client.Do(req)
}

// refused makes a request that is to be refused and looks the decision up.
func (d *Demo) refused(r Request) (*explain.Record, error) {
	resp, err := d.Do(r)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != r.Status {
		return nil, fmt.Errorf("%s %s answered %s, not %d", r.Method, r.Path, resp.Status, r.Status)
	}
	return app.Lookup(d.source(), resp.Header.Get("X-Portreeve-Decision"))
}
