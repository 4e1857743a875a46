package demo

import (
	"fmt"
	"io"
	"strings"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/internal/explain"
)

// Tour prints a screen: what to open in a browser, a few lines of each group, and
// two refusals, just made, with what explains them.
func (d *Demo) Tour(w io.Writer, colour bool) error {
	refused, err := d.refusals()
	if err != nil {
		return err
	}
	strong := func(s string) string {
		if colour {
			return "\x1b[1m" + s + "\x1b[0m"
		}
		return s
	}
	fmt.Fprintf(w, "Portreeve answers on %s, in front of stand-ins on this machine: an OpenID Connect issuer,\n"+
		"Cloudflare Access, Auth0, Castle, a user service, Twilio, an application. Ctrl-C ends it and leaves nothing.\n", d.URL)
	fmt.Fprintf(w, "\n%s\n", strong("In a browser"))
	for _, p := range [][2]string{
		{d.Portal, "the portal: signs petra in, once, who may see everything"},
		{d.URL + "/reference", "what may be asked of it, and by whom"},
		{d.at("go", "/invite/anna"), "a link into an app: its QR code here, the app on a phone"},
		{d.page.url, "text me the app, and the telephone that gets the text"},
		{d.Link, "signs erin in, once"},
	} {
		if len(p[0]) > 38 {
			p[0] += "\n" + strings.Repeat(" ", 40)
		}
		fmt.Fprintf(w, "  %-38s %s\n", p[0], p[1])
	}
	fmt.Fprintf(w, "\n%s everybody's credentials are files of the folder, and `sh -v` runs all lines of a group\n\n  cd %s\n", strong("In another terminal:"), d.Dir)
	for _, g := range d.Groups() {
		fmt.Fprintf(w, "\n%-84s sh -v tour/%s\n", strong(g.Title), g.Name)
		for _, s := range g.Steps {
			if s.Top {
				fmt.Fprintf(w, "  %s\n  %s\n", s.says(), s.Line)
			}
		}
	}
	fmt.Fprintf(w, "\n%s\n", strong("Why was it refused?"))
	for _, r := range refused {
		why := r.Reason
		if step, _ := r.Denied(); step.Stage == "decide" {
			why = step.Found
		}
		fmt.Fprintf(w, "  # %d  %s %s, just now: %s\n  ./portreeve explain --id %s\n", r.Status, r.Method, r.Path, why, r.ID)
	}
	return nil
}

// refusals makes two requests that are to be refused, and looks the decisions up.
func (d *Demo) refusals() (out []*explain.Record, err error) {
	dave, err := d.read("dave")
	if err != nil {
		return nil, err
	}
	mallory, err := d.read("mallory")
	if err != nil {
		return nil, err
	}
	for _, r := range []struct {
		method, url, body string
		head              string
		status            int
	}{
		{"DELETE", d.URL + "/docs/7", "", dave, 403},
		{"POST", d.at("login", "/oauth/token"), mallory, "X-Castle-Request-Token: " + d.castle.Token(), 401},
	} {
		resp, err := d.ask(r.method, r.url, r.head, r.body)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != r.status {
			return nil, fmt.Errorf("%s %s answered %s, not %d", r.method, r.url, resp.Status, r.status)
		}
		rec, err := app.Lookup(d.source(), resp.Header.Get("X-Portreeve-Decision"))
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
