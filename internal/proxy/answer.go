package proxy

import (
	"bytes"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Bounds on what an upstream may say before its body.
const (
	maxHeadBytes = 64 << 10 // of all heads of one answer together, 1xx included
	maxInterim   = 16       // 1xx heads before the final one
	maxFields    = 256
)

// malformed is an answer that is not, or not certainly, one HTTP/1.1 answer.
type malformed string

func (m malformed) Error() string { return "upstream answer refused: " + string(m) }

const (
	badLine      malformed = "a line does not end in CRLF"
	badStatus    malformed = "the status line is malformed"
	badField     malformed = "a header field is malformed"
	badLength    malformed = "Content-Length is malformed or repeated"
	badCoding    malformed = "Transfer-Encoding is not exactly chunked"
	bothLengths  malformed = "it has a Content-Length and a Transfer-Encoding"
	bodyless     malformed = "its status allows no body, its head announces one"
	unasked      malformed = "101 without an upgrade"
	headTooLong  malformed = "the head is too large"
	manyInterims malformed = "too many 1xx heads"
	badChunk     malformed = "the chunked body is malformed"
	interimBody  malformed = "a 1xx head announces a body"
)

// answer is one head of an upstream's answer.
type answer struct {
	status  int
	fields  []request.Field // in order, as written
	length  int64           // -1: none given
	chunked bool
	old     bool   // HTTP/1.0
	close   bool   // the connection ends with this answer
	options string // what Connection lists, all fields joined by commas
}

// headScan looks for the end of a head as bytes arrive, and refuses a line
// that ends in a bare LF as soon as it is seen.
type headScan struct{ line, at int }

// end returns the length of the head that b begins with, blank line included,
// or 0 when more bytes are needed.
func (s *headScan) end(b []byte) (int, error) {
	for {
		i := bytes.IndexByte(b[s.at:], '\n')
		if i < 0 {
			s.at = len(b)
			return 0, nil
		}
		i += s.at
		if i == 0 || b[i-1] != '\r' {
			return 0, badLine
		}
		if i-1 == s.line {
			if s.line == 0 {
				return 0, badStatus
			}
			return i + 1, nil
		}
		s.line, s.at = i+1, i+1
	}
}

// parse reads a whole head, blank line included, into a. It reuses a.fields.
func (a *answer) parse(head string) error {
	*a = answer{fields: a.fields[:0], length: -1}
	line, rest, _ := strings.Cut(head, "\r\n")
	if err := a.statusLine(line); err != nil {
		return err
	}
	for {
		line, rest, _ = strings.Cut(rest, "\r\n")
		if line == "" {
			break
		}
		if len(a.fields) == maxFields {
			return headTooLong
		}
		if err := a.field(line); err != nil {
			return err
		}
	}
	return a.settle()
}

// statusLine reads "HTTP/1.1 200 OK"; the reason may be missing, blank and all.
func (a *answer) statusLine(s string) error {
	const proto = "HTTP/1."
	if len(s) < len("HTTP/1.1 200") || s[:len(proto)] != proto || s[8] != ' ' {
		return badStatus
	}
	switch s[7] {
	case '0':
		a.old, a.close = true, true
	case '1':
	default:
		return badStatus
	}
	for _, c := range []byte(s[9:12]) {
		if c < '0' || c > '9' {
			return badStatus
		}
		a.status = a.status*10 + int(c-'0')
	}
	if a.status < 100 || a.status > 599 {
		return badStatus
	}
	if len(s) > 12 && (s[12] != ' ' || !valueOK(s[13:])) {
		return badStatus
	}
	return nil
}

func (a *answer) field(line string) error {
	i := strings.IndexByte(line, ':')
	if i < 0 || !isToken(line[:i]) || !valueOK(line[i+1:]) {
		return badField
	}
	f := request.Field{Name: line[:i], Value: blanks(line[i+1:])}
	switch {
	case len(f.Name) == 14 && strings.EqualFold(f.Name, "Content-Length"):
		if a.length >= 0 {
			return badLength
		}
		n, ok := decimal(f.Value)
		if !ok {
			return badLength
		}
		a.length = n
		return nil
	case len(f.Name) == 17 && strings.EqualFold(f.Name, "Transfer-Encoding"):
		if a.chunked || a.old || !strings.EqualFold(f.Value, "chunked") {
			return badCoding
		}
		a.chunked = true
		return nil
	case len(f.Name) == 10 && strings.EqualFold(f.Name, "Connection"):
		if a.options != "" {
			a.options += ","
		}
		a.options += f.Value
		return nil
	}
	a.fields = append(a.fields, f)
	return nil
}

// settle checks what only the whole head shows.
func (a *answer) settle() error {
	if a.chunked && a.length >= 0 {
		return bothLengths
	}
	if lists(a.options, "close") {
		a.close = true
	}
	switch {
	case a.status < 200 && (a.chunked || a.length >= 0):
		return interimBody
	case a.status == 204 && (a.chunked || a.length > 0):
		return bodyless
	}
	return nil
}

// hasBody reports whether a body follows in answer to method (RFC 9112 section
// 6.3).
func (a *answer) hasBody(method string) bool {
	return method != "HEAD" && a.status != 204 && a.status != 304 && a.length != 0
}

// decimal reads digits alone, at most 18 of them.
func decimal(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// lists reports whether the comma-separated list holds name, ASCII case
// ignored.
func lists(list, name string) bool {
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		if strings.EqualFold(blanks(item), name) {
			return true
		}
	}
	return false
}
