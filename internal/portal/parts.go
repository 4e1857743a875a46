package portal

import (
	"net/url"
	"strconv"
)

// emptyPart says what a list without rows is for, and what to do next.
type emptyPart struct{ Title, Text, Label, Href string }

func newEmpty(title, text string, more ...string) emptyPart {
	e := emptyPart{Title: title, Text: text}
	if len(more) == 2 {
		e.Label, e.Href = more[0], more[1]
	}
	return e
}

// badgePart is a state in a word: ok, warn, stop, off or info.
type badgePart struct{ Kind, Text string }

// fieldPart is an input with its label, hint and problem.
type fieldPart struct {
	Form              *form
	Name, Label, Hint string
	Kind              string // text, number, email, date, area, password…
	Value             string // until the form was sent
	Required          bool
	Max               int // characters
	Auto              string
	Rows              int
}

// newField is {{template "field" (field $.Form "name" "Name" "hint" "required" "text")}}:
// the words after the hint are a kind, "required", max=N, auto=NAME, rows=N or
// value=TEXT.
func newField(f *form, name, label, hint string, more ...string) fieldPart {
	p := fieldPart{Form: f, Name: name, Label: label, Hint: hint, Kind: "text", Auto: "off", Rows: 4}
	for _, m := range more {
		word, value := m, ""
		for i := range m {
			if m[i] == '=' {
				word, value = m[:i], m[i+1:]
				break
			}
		}
		switch word {
		case "required":
			p.Required = true
		case "max":
			p.Max, _ = strconv.Atoi(value)
		case "rows":
			p.Rows, _ = strconv.Atoi(value)
		case "auto":
			p.Auto = value
		case "value":
			p.Value = value
		default:
			p.Kind = word
		}
	}
	return p
}

// Shown is the input's value: as it was sent, else as it was.
func (p fieldPart) Shown() string {
	if p.Form != nil {
		if _, sent := p.Form.values[p.Name]; sent {
			return p.Form.Get(p.Name)
		}
	}
	return p.Value
}

// Issue is what is wrong with it.
func (p fieldPart) Issue() string { return p.Form.Issue(p.Name) }

// Described names what says more about the input.
func (p fieldPart) Described() string {
	out := ""
	if p.Hint != "" {
		out = p.Name + "-hint"
	}
	if p.Issue() != "" {
		if out != "" {
			out += " "
		}
		out += p.Name + "-issue"
	}
	return out
}

// listOf is a page of a list, as every operation answers with one.
type listOf[T any] struct {
	Data       []T
	Pagination pagination
}

// pagination is how the operations tell which part of a list they gave.
type pagination struct{ Limit, Offset, Total int }

// pager leads through the pages of a list.
type pager struct {
	From, To, Total  int
	Before, After    string // addresses; "" where there is none
	More             bool   // there is a further page, and nobody counted
	Filtered, Unsure bool
}

// pager is that of a list whose operation counts: keep are the parameters of the
// page's address that stay.
func (v *visit) pager(at pagination, here int, keep ...string) pager {
	p := pager{From: at.Offset + 1, To: at.Offset + here, Total: at.Total}
	if here == 0 {
		p.From = 0
	}
	link := func(offset int) string {
		q := v.kept(keep)
		if offset > 0 {
			q.Set("offset", strconv.Itoa(offset))
		}
		if len(q) == 0 {
			return v.path()
		}
		return v.path() + "?" + q.Encode()
	}
	if at.Offset > 0 {
		p.Before = link(max(0, at.Offset-rows))
	}
	if at.Offset+here < at.Total && here > 0 {
		p.After = link(at.Offset + here)
	}
	p.Filtered = len(v.kept(keep)) > 0
	return p
}

// further is the pager of a list that goes on from a mark: the trail, the ring.
func (v *visit) further(next string, here int, keep ...string) pager {
	p := pager{To: here, Unsure: true, Filtered: len(v.kept(keep)) > 0}
	q := v.kept(keep)
	if next != "" {
		q.Set("before", next)
		p.After, p.More = v.path()+"?"+q.Encode(), true
		q.Del("before")
	}
	if v.query("before") != "" {
		p.Before = v.path()
		if len(q) > 0 {
			p.Before += "?" + q.Encode()
		}
	}
	return p
}

// kept are parameters of the page's address that are set.
func (v *visit) kept(names []string) url.Values {
	q := url.Values{}
	for _, n := range names {
		if s := v.query(n); s != "" {
			q.Set(n, s)
		}
	}
	return q
}

// target is an operation's address with the page of the list and the parameters
// of the page's address that it takes by the same names.
func (v *visit) target(path string, keep ...string) string {
	q := v.kept(keep)
	q.Set("limit", strconv.Itoa(rows))
	if n := v.offset(); n > 0 {
		q.Set("offset", strconv.Itoa(n))
	}
	return path + "?" + q.Encode()
}
