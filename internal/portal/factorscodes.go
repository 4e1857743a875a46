package portal

import (
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// shownCodes are backup codes that a page shows this once.
type shownCodes struct {
	Codes []string
	Fresh bool // of an app that was turned on just now
	Site  string
}

// Text is the codes as a text to copy or keep.
func (s shownCodes) Text() string { return strings.Join(s.Codes, "\n") + "\n" }

func (v *visit) codesPage(title string, codes []string, fresh bool) (request.Reply, error) {
	return v.withModule("codes.js", "factors-shown", title, shownCodes{codes, fresh, v.c.View.Host})
}

func listCodes(v *visit) (request.Reply, error) { return v.codesForm(200, nil) }

func (v *visit) codesForm(status int, f *form) (request.Reply, error) {
	p, err := v.factorPage()
	switch {
	case err != nil:
		return request.Reply{}, err
	case !p.Enabled && f == nil:
		return v.done("/factors", "")
	}
	return v.formPage(status, f, "factors-codes", "Backup codes", factorForm{factorState: p.factorState, Left: p.Left})
}

func newCodes(v *visit, f *form) (request.Reply, error) {
	var made codesLeft
	reply, done, err := v.changeFactors(f, "POST", "/mfa/backup-codes", map[string]any{}, &made, func() (request.Reply, error) { return v.codesForm(422, f) })
	if !done {
		return reply, err
	}
	return v.codesPage("Your new backup codes", made.Codes, false)
}

// showCodes shows codes that were made a moment ago a second time, as the
// operation does once.
func showCodes(v *visit, _ *form) (request.Reply, error) {
	var got codesLeft
	if err := v.ask("GET", "/mfa/backup-codes", nil, &got); err != nil {
		return request.Reply{}, err
	}
	if len(got.Codes) == 0 {
		return v.done("/factors/codes", "codes-gone")
	}
	return v.codesPage("Your backup codes", got.Codes, false)
}
