package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/trace"
)

// Text writes a record for a person: what was asked, each check in order, and
// at the end what would have been enough. Whatever a request brought is
// written so that it cannot steer a terminal.
func Text(w io.Writer, r Record, colour bool) error {
	p := &printer{colour: colour}
	denied, refused := r.Denied()
	refused = refused || r.Status >= 400
	p.head(r, refused)
	p.steps(r.Steps)
	p.close(r, refused, denied)
	_, err := io.WriteString(w, p.b.String())
	return err
}

type printer struct {
	b      strings.Builder
	colour bool
}

func (p *printer) head(r Record, refused bool) {
	verdict := p.paint(green, "Allowed")
	if refused {
		verdict = p.paint(red, "Refused")
	}
	p.line("%s: %s", verdict, p.paint(bold, plain(r.Method+" "+r.Path)))
	answer := ""
	if r.Status != 0 {
		answer = strconv.Itoa(r.Status)
	}
	p.fact("answer", strings.TrimSpace(answer+" "+r.Reason))
	route := r.Route
	if route == "" {
		route = "none"
	}
	p.fact("site", r.Site)
	p.fact("route", route)
	who := r.Principal
	if who == "" {
		who = "anonymous"
	}
	if r.Client.IsValid() {
		who += " from " + r.Client.String()
	}
	p.fact("caller", who)
	if !r.Time.IsZero() {
		p.fact("time", r.Time.UTC().Format("2006-01-02 15:04:05.000 UTC"))
	}
	p.fact("request", r.RequestID)
	p.fact("decision", r.ID)
}

// steps writes one line per check that held, and a block per one that did not.
func (p *printer) steps(steps []trace.Step) {
	if len(steps) == 0 {
		return
	}
	stage, check := 0, 0
	for _, s := range steps {
		stage, check = max(stage, width(s.Stage)), max(check, width(s.Check))
	}
	stage, check = min(stage, 10), min(check, 28)
	p.line("")
	for _, s := range steps {
		name := pad(s.Stage, stage) + "  " + pad(s.Check, check)
		if s.OK {
			p.line("  %s  %s", p.paint(green, "ok"), strings.TrimRight(name+"  "+plain(held(s)), " "))
			continue
		}
		p.line("  %s  %s", p.paint(red, "NO"), p.paint(bold, strings.TrimRight(name, " ")))
		p.detail("wanted", s.Wanted)
		p.detail("found", s.Found)
	}
}

// held says in a few words why a check held.
func held(s trace.Step) string {
	switch {
	case s.Wanted == "":
		return s.Found
	case s.Found == "" || s.Found == s.Wanted:
		return s.Wanted
	}
	return s.Wanted + ": " + s.Found
}

// close says what would have been enough.
func (p *printer) close(r Record, refused bool, denied trace.Step) {
	p.line("")
	if !refused {
		p.line("Nothing was missing.")
		return
	}
	var enough []trace.Step
	for _, s := range r.Steps {
		if !s.OK && s.Enough != "" {
			enough = append(enough, s)
		}
	}
	switch {
	case len(enough) > 0:
		p.line("%s", p.paint(bold, "What would have been enough:"))
		for _, s := range enough {
			p.line("  %s", plain(s.Enough))
		}
	case denied.Check != "":
		p.line("Nothing that the caller can change would have been enough: %s.", plain(denied.Check))
	default:
		p.line("No check refused this: it failed on the way (%s). The log has the cause under its request id.", plain(or(r.Reason, "no reason given")))
	}
}

func (p *printer) line(format string, a ...any) {
	fmt.Fprintf(&p.b, format+"\n", a...)
}

func (p *printer) fact(name, value string) {
	if value != "" {
		p.line("  %s  %s", pad(name, 8), plain(value))
	}
}

func (p *printer) detail(name, value string) {
	if value != "" {
		p.line("        %s  %s", pad(name, 6), plain(value))
	}
}

// The colours, as SGR parameters (ECMA-48 section 8.3.117).
const (
	bold  = "1"
	red   = "1;31"
	green = "32"
)

func (p *printer) paint(sgr, s string) string {
	if !p.colour {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func width(s string) int { return utf8.RuneCountInString(plain(s)) }

// pad is a plain text of at least n columns.
func pad(s string, n int) string {
	s = plain(s)
	if w := utf8.RuneCountInString(s); w < n {
		s += strings.Repeat(" ", n-w)
	}
	return s
}

// plain writes what is not printable (controls, escapes, marks that turn the
// direction of writing, bytes that are not UTF-8) as escapes.
func plain(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] != "\uFFFD"[0]:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unprintable(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
