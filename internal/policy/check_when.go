package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/trace"
)

// whenCheck is when: a condition in CEL.
type whenCheck struct{ *expression }

func (l *loader) when(text *string) check {
	if text == nil {
		return nil
	}
	if strings.TrimSpace(*text) == "" {
		l.errorf("when", "empty: write a condition such as auth.email_domain == \"example.com\", or remove the key")
		return nil
	}
	e, problems := compileExpression(*text, l.deps.Params)
	for _, p := range problems {
		l.errorf("when", "%s", p)
	}
	if e == nil {
		return nil
	}
	return whenCheck{e}
}

func (w whenCheck) check(in Input, rec *trace.Recorder) *fault.Error {
	if twice := w.ambiguous(in.View); twice != "" {
		if rec.On() {
			rec.Fail(stage, "when", w.oneLine(), twice+" is repeated", "a request that has "+twice+" once")
		}
		return fault.New(fault.Forbidden, "condition_failed", "")
	}
	c := newCondition(in)
	met, err := evaluate(w.program, c)
	if err == nil && met {
		if rec.On() {
			rec.Pass(stage, "when", w.oneLine(), "true")
		}
		return nil
	}
	if rec.On() {
		w.explain(c, rec, err)
	}
	if err != nil {
		return fault.Wrap(fault.Forbidden, "condition_error", "", w.discreet(err))
	}
	return fault.New(fault.Forbidden, "condition_failed", "")
}

// explain records each part that did not hold, with the values it read.
func (w whenCheck) explain(c *condition, rec *trace.Recorder, whole error) {
	told := false
	for _, p := range w.parts {
		met, err := evaluate(p.program, c)
		if err == nil && met {
			continue
		}
		told = true
		found := p.values(c)
		enough := "a request for which this holds: " + p.text
		if err = p.discreet(err); err != nil {
			found = "could not be worked out: " + plainError(err) + behind(found)
			enough += "; what it reads has to be there (has(…) asks first whether it is)"
		}
		rec.Fail(stage, "when", p.text, found, enough)
	}
	if !told { // each part holds by itself: the whole ran out of its budget
		found := "false"
		if whole = w.discreet(whole); whole != nil {
			found = "could not be worked out: " + plainError(whole)
		}
		rec.Fail(stage, "when", w.oneLine(), found, "a shorter condition, or a smaller token or request")
	}
}

// errNotShown stands for what CEL says when it may quote a secret.
var errNotShown = errors.New("what it reads may be a secret, so the reason is not shown")

// discreet is err, unless the part reads what may be a secret: CEL quotes keys
// that it did not find and texts that it could not convert.
func (p part) discreet(err error) error {
	if err != nil && slices.ContainsFunc(p.refs, reference.secret) {
		return errNotShown
	}
	return err
}

func (w whenCheck) discreet(err error) error {
	for _, p := range w.parts {
		err = p.discreet(err)
	}
	return err
}

// behind puts the values read behind a sentence.
func behind(values string) string {
	if values == "" {
		return ""
	}
	return "; " + values
}

func (p part) values(c *condition) string {
	var out []string
	for _, r := range p.refs {
		out = append(out, r.show(c))
	}
	return strings.Join(out, ", ")
}

// plainError is a run-time error's text on one short line: CEL may quote what
// it read, so controls are made visible.
func plainError(err error) string {
	return clip(strings.TrimPrefix(err.Error(), "operation cancelled: "))
}

func (w whenCheck) oneLine() string { return strings.Join(strings.Fields(w.text), " ") }

func (w whenCheck) describe() string { return "when " + w.oneLine() }

// outline shows a condition that holds no text of its own: auth.sub ==
// params.user names nobody.
func (w whenCheck) outline() string {
	if strings.ContainsAny(w.oneLine(), "\"'/0123456789") { // or a comment
		return "a further condition on the caller and the request"
	}
	return w.describe()
}
