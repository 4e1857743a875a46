package input

import (
	"strconv"

	"github.com/portreeve/portreeve/internal/request"
)

// Query returns the value of a query parameter. One that stands twice is
// refused.
func Query(v *request.View, name string) (value string, ok bool, err error) {
	switch list := v.QueryValues(name); len(list) {
	case 0:
		return "", false, nil
	case 1:
		return list[0], true, nil
	}
	return "", false, Invalid(name, "stands more than once in the query")
}

// Page is the part of a list that is asked for.
type Page struct{ Limit, Offset int }

// maxOffset bounds how far into a list anybody can ask.
const maxOffset = 1 << 30

// PageOf reads limit and offset: standard is the limit that is not written,
// most the largest one.
func PageOf(v *request.View, standard, most int) (Page, error) {
	p := Page{Limit: standard}
	var f Fields
	for _, x := range []struct {
		name     string
		to       *int
		low, top int
	}{{"limit", &p.Limit, 1, most}, {"offset", &p.Offset, 0, maxOffset}} {
		text, ok, err := Query(v, x.name)
		if err != nil {
			return Page{}, err
		}
		if !ok {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < x.low || n > x.top || text[0] == '+' {
			f.Add(x.name, "must be a whole number from "+strconv.Itoa(x.low)+" to "+strconv.Itoa(x.top))
			continue
		}
		*x.to = n
	}
	return p, f.Err()
}

// List is the answer of a list that is read in pages.
type List[T any] struct {
	Data       []T        `json:"data"`
	Pagination Pagination `json:"pagination"`
}

// Pagination says which part of how many it is.
type Pagination struct {
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
	Total  int `json:"total"`
}

// ListOf makes the answer of a page. Its data is never null.
func ListOf[T any](data []T, p Page, total int) List[T] {
	if data == nil {
		data = []T{}
	}
	return List[T]{Data: data, Pagination: Pagination{Limit: p.Limit, Offset: p.Offset, Total: total}}
}
