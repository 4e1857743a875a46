package migrate

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// unread is a value that stands as an expression which only a database could
// work out (CURRENT_TIMESTAMP, a subquery, …).
type unread struct{}

// value reads one value of a VALUES list: a literal, or one of the three calls
// that SQLite's own dumps hold: replace('a\nb','\n',char(10)), char(…) and
// unistr('…'). Anything else is skipped over and comes back as unread. It
// yields nil, int64, float64, string, []byte or unread.
func (s *scanner) value(depth int) (any, error) {
	t, err := s.next()
	if err != nil {
		return nil, err
	}
	v, plain, err := s.literal(t, depth)
	if err != nil {
		return nil, err
	}
	after, err := s.next()
	if err != nil {
		return nil, err
	}
	s.back(after)
	if plain && (after.is(",") || after.is(")")) {
		return v, nil
	}
	return unread{}, s.skipValue()
}

// literal reads what begins with t, if it is a literal or a known call.
func (s *scanner) literal(t token, depth int) (v any, plain bool, err error) {
	switch {
	case t.kind == textLiteral, t.kind == quotedName: // "x" is a text where no column can stand
		return t.text, true, nil
	case t.kind == blobLiteral:
		return []byte(t.text), true, nil
	case t.kind == number:
		v, ok := numeral(t.text, false)
		return v, ok, nil
	case t.is("-"), t.is("+"):
		n, err := s.next()
		if err != nil || n.kind != number {
			s.back(n)
			return nil, false, err
		}
		v, ok := numeral(n.text, t.is("-"))
		return v, ok, nil
	case t.is("NULL"):
		return nil, true, nil
	case t.is("TRUE"):
		return int64(1), true, nil
	case t.is("FALSE"):
		return int64(0), true, nil
	case t.is("REPLACE"), t.is("CHAR"), t.is("UNISTR"):
		return s.call(t.text, depth)
	}
	s.back(t)
	return nil, false, nil
}

// numeral reads a number as SQLite does: whole numbers beyond 64 bits become
// floating point.
func numeral(text string, minus bool) (any, bool) {
	if minus {
		text = "-" + text
	}
	text = strings.ReplaceAll(text, "_", "")
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	if strings.ContainsAny(text, "xXpP") || strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, false
	}
	return f, true
}

// call works out one of the calls that dumps hold.
func (s *scanner) call(name string, depth int) (any, bool, error) {
	open, err := s.next()
	if err != nil || !open.is("(") || depth >= maxCalls {
		s.back(open)
		return nil, false, err
	}
	var args []any
	for {
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		if len(args) >= maxColumns {
			return nil, false, s.fail("a call has more than %d arguments", maxColumns)
		}
		args = append(args, v)
		t, err := s.next()
		if err != nil {
			return nil, false, err
		}
		if t.is(")") {
			break
		}
		if !t.is(",") {
			return nil, false, s.fail("a call: %w", errBroken)
		}
	}
	v, ok := work(name, args)
	return v, ok, nil
}

func work(name string, args []any) (any, bool) {
	switch name {
	case "CHAR":
		var b strings.Builder
		for _, a := range args {
			n, ok := a.(int64)
			if !ok || n < 0 || n > utf8.MaxRune {
				return nil, false
			}
			b.WriteRune(rune(n))
		}
		return b.String(), true
	case "REPLACE":
		var text [3]string
		for i, a := range args {
			t, ok := a.(string)
			if !ok || i > 2 {
				return nil, false
			}
			text[i] = t
		}
		if len(args) != 3 || text[1] == "" {
			return text[0], len(args) == 3
		}
		if grow := strings.Count(text[0], text[1]) * len(text[2]); grow > maxLiteral {
			return nil, false
		}
		return strings.ReplaceAll(text[0], text[1], text[2]), true
	case "UNISTR":
		t, ok := args[0].(string)
		if !ok || len(args) != 1 {
			return nil, false
		}
		return unistr(t)
	}
	return nil, false
}

// unistr undoes \uXXXX, \XXXX, \+XXXXXX, \UXXXXXXXX and \\ (SQLite 3.50 and
// later write control characters so).
func unistr(s string) (any, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		n, skip := 4, 0
		switch {
		case strings.HasPrefix(rest, `\`):
			b.WriteByte('\\')
			s = rest[1:]
			continue
		case strings.HasPrefix(rest, "u"):
			skip = 1
		case strings.HasPrefix(rest, "+"):
			n, skip = 6, 1
		case strings.HasPrefix(rest, "U"):
			n, skip = 8, 1
		}
		if len(rest) < skip+n {
			return nil, false
		}
		r, err := strconv.ParseUint(rest[skip:skip+n], 16, 32)
		if err != nil || r > utf8.MaxRune {
			return nil, false
		}
		b.WriteRune(rune(r))
		s = rest[skip+n:]
	}
}

// skipValue goes to the comma or parenthesis that ends the value, which stays.
func (s *scanner) skipValue() error {
	depth := 0
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return err
		case t.kind == end, t.is(";"):
			return s.fail("a value: %w", errBroken)
		case depth == 0 && (t.is(",") || t.is(")")):
			s.back(t)
			return nil
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
	}
}
