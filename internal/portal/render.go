package portal

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

//go:embed templates/*.html
var templates embed.FS

// look are the templates, one set a page.
type look struct{ pages map[string]*template.Template }

// theLook is the same for every portal of a process.
var theLook = sync.OnceValues(newLook)

func newLook() (*look, error) {
	base := template.New("").Funcs(pieces())
	for _, name := range []string{"frame.html", "parts.html"} {
		if err := parse(base, name); err != nil {
			return nil, err
		}
	}
	names, err := templates.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	l := &look{pages: map[string]*template.Template{}}
	for _, n := range names {
		name := strings.TrimSuffix(n.Name(), ".html")
		if name == "frame" || name == "parts" {
			continue
		}
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if err := parse(t, n.Name()); err != nil {
			return nil, err
		}
		l.pages[name] = t
	}
	return l, nil
}

// parse reads a file of templates.
func parse(into *template.Template, name string) error {
	raw, err := templates.ReadFile(path.Join("templates", name))
	if err != nil {
		return err
	}
	text, err := labelled(string(raw))
	if err == nil {
		_, err = into.New(name).Parse(text)
	}
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return nil
}

// frame is what stands around a page, and what its template is given as $.
type frame struct {
	Title, Site, Version string
	Style, Script        string
	Module               string   // a further script of this page; ""
	Imports              []string // what that one needs
	Modules              string   // where the modules of escrow stand: a folder
	Escrow               string   // the origin of /v1; "" is this site's
	Nav                  []navGroup
	Reader               reader
	Message              string // after a form
	Form                 *form  // the form as it was posted, where it is shown again
	Passkeys             bool   // one can be shown instead of the code that the form asks for
	Data                 any

	zone zone
	now  time.Time
}

// reader is who reads.
type reader struct {
	Name, Tenant string
	Roles        []string
	SignsOut     bool
}

// show answers with a page.
func (v *visit) show(page, title string, data any) (request.Reply, error) {
	return v.make(200, page, title, data, nil, "")
}

// again answers with a page whose form has problems.
func (v *visit) again(f *form, page, title string, data any) (request.Reply, error) {
	return v.make(422, page, title, data, f, "")
}

// withModule answers with a page that has a script of its own: one of scripts/.
func (v *visit) withModule(module, page, title string, data any) (request.Reply, error) {
	return v.make(200, page, title, data, nil, module)
}

// done leads on to a page after a form, with a message (messages.go).
func (v *visit) done(to, message string) (request.Reply, error) {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	if message != "" {
		to += sep + "done=" + url.QueryEscape(message)
	}
	return request.Reply{Status: 303, Header: append(request.Header{{Name: "Location", Value: to}}, v.s.headers()...)}, nil
}

// make renders a page whole before anything of it is sent.
func (v *visit) make(status int, page, title string, data any, f *form, module string) (request.Reply, error) {
	t := v.s.look.pages[page]
	if t == nil {
		return request.Reply{}, fmt.Errorf("no page %q", page)
	}
	who, a := v.c.Who, v.s.files
	in := frame{Title: title, Site: v.c.View.Host, Version: v.s.d.Version, Style: a.at("style.css"), Script: a.at("portal.js"), Modules: a.at("escrow/"),
		Escrow: v.s.escrow, Nav: v.nav(), Message: messages[v.query("done")], Form: f, Data: data, zone: v.zone, now: v.c.Now,
		Reader: reader{Name: who.ID(), Tenant: v.c.Tenant, Roles: v.c.Standing.Roles(), SignsOut: v.session()}}
	if called := cmp.Or(who.Email, v.c.Standing.Called); called != "" { // a session's principal has no address, its row does
		in.Reader.Name = called
	}
	if f.Asks() {
		in.Passkeys = v.showsPasskeys()
		if module == "" && in.Passkeys {
			module = "passkey.js"
		}
	}
	if module != "" {
		in.Module = a.at(module)
		for _, name := range a.imports[module] {
			in.Imports = append(in.Imports, a.at(name))
		}
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "frame", &in); err != nil {
		return request.Reply{}, fmt.Errorf("page %s: %w", page, err)
	}
	return request.Reply{Status: status, Body: b.Bytes(), Header: append(request.Header{{Name: "Content-Type", Value: "text/html; charset=utf-8"}}, v.s.headers()...)}, nil
}

// headers are what every page goes out with. Nothing of another origin is loaded
// or called but the API of escrow, where the site's configuration names one.
func (s *site) headers() request.Header {
	connect := "'self'"
	if s.escrow != "" {
		connect += " " + s.escrow
	}
	return request.Header{
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'self'; script-src 'self'; connect-src " + connect + "; img-src 'self' data:; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
		{Name: "X-Frame-Options", Value: "DENY"},
		{Name: "Referrer-Policy", Value: "same-origin"},
		{Name: "Cross-Origin-Opener-Policy", Value: "same-origin"},
		{Name: "Cross-Origin-Resource-Policy", Value: "same-origin"},
		{Name: "Permissions-Policy", Value: "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
	}
}

// pieces are the functions of templates. Those that show times take the frame
// first: {{time $ .CreatedAt}}.
func pieces() template.FuncMap {
	return template.FuncMap{
		"once":    newOnceValue,
		"time":    func(f *frame, at any) template.HTML { return f.time(at) },
		"ago":     func(f *frame, at any) template.HTML { return f.ago(at) },
		"counted": func(f *frame) template.HTML { return f.counted() },
		"empty":   newEmpty,
		"badge":   func(kind, text string) badgePart { return badgePart{kind, text} },
		"field":   newField,
		"join":    strings.Join,
		"count":   count,
		"short":   short,
		"path":    url.PathEscape,
		"query":   func(s string) template.URL { return template.URL(url.QueryEscape(s)) }, //nolint:gosec // escaped here, and not once more where it stands
		"has":     func(list []string, s string) bool { return slices.Contains(list, s) },
		"dict":    dict,
		"list":    func(words ...string) []string { return words },
		"first":   first, "beyond": beyond, "lead": leadOf,
		"minus": func(a, b int) int { return a - b },
	}
}

// count is a number with its noun: {{count 3 "key"}}.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

func short(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// dict makes a map of names and values, for a template that is given several.
func dict(pairs ...any) (map[string]any, error) {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		out[name] = pairs[i+1]
	}
	return out, nil
}
