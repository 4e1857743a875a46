package links

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

// maxTarget bounds a target: what is longer no app reads, and it must fit a header.
const maxTarget = 8 << 10

// destinations are where targets may lead: the app's scheme, and over https the
// hosts of the fallbacks.
type destinations struct {
	scheme string
	hosts  []string
}

// target is a rule's "to", compiled. Its beginning is fixed text: scheme and ://
// and, of a URL over https, the host and the / behind it. It is immutable.
type target struct {
	fixed string
	parts []targetPart
}

// place is the part of a URL that something stands in.
type place uint8

const (
	inHost place = iota // of the app's own scheme, where it is the first word of a path
	inPath
	inQuery
	inFragment
)

// targetPart is text as it is, or a value of the request.
type targetPart struct {
	text string
	is   value
	name string
	at   place
}

type value uint8

const (
	isText value = iota
	isParam
	isQueryParam
	isWholePath
	isWholeQuery
)

// compileTarget reads a rule's "to". params are the names that its pattern has.
func compileTarget(t template.Text, params []string, to destinations) (*target, error) {
	parts, err := scan(t)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 || parts[0].is != isText {
		return nil, errors.New("must begin with a scheme that is written out, as in example://")
	}
	scheme, rest, ok := strings.Cut(parts[0].text, "://")
	if !ok {
		return nil, errors.New("must begin with a scheme and ://")
	}
	out := &target{fixed: scheme + "://"}
	at := inHost
	switch {
	case scheme == to.scheme && badScheme(scheme) == "":
	case scheme == "https":
		host, after, has := strings.Cut(rest, "/")
		if !slices.Contains(to.hosts, host) {
			return nil, errors.New("leads over https to a host that is no fallback's; only the scheme and the fallbacks' hosts are possible")
		}
		if !has {
			return nil, errors.New("needs a / behind the host")
		}
		out.fixed, rest, at = out.fixed+host+"/", after, inPath
	case to.scheme == "":
		return nil, errors.New("needs the key scheme: links lead to it, and to the fallbacks' hosts over https")
	default:
		return nil, fmt.Errorf("must begin with %s://, or https:// and a fallback's host", to.scheme)
	}
	parts[0].text = rest
	for _, p := range parts {
		if p.is == isText {
			if at, err = out.add(p.text, at); err != nil {
				return nil, err
			}
			continue
		}
		if p.is == isParam && !slices.Contains(params, p.name) {
			return nil, fmt.Errorf("{{params.%s}}: match has no :%s", p.name, p.name)
		}
		if p.is == isWholeQuery && at != inQuery {
			return nil, errors.New("{{query}}, the whole, stands behind a ?")
		}
		p.at = at
		out.parts = append(out.parts, p)
	}
	plain := func(string) string { return "x" }
	if _, ok := out.String(lookup{param: plain, query: plain, path: []request.Segment{{Text: "x"}}, raw: "x"}); !ok {
		return nil, fmt.Errorf("makes no link, whatever is asked for: a dot segment or control character in its path, or more than %d bytes", maxTarget)
	}
	return out, nil
}

// add takes fixed text apart, so that each stretch stands in one part of the URL.
func (t *target) add(s string, at place) (place, error) {
	from := 0
	flush := func(to int) {
		if to > from {
			t.parts = append(t.parts, targetPart{text: s[from:to], at: at})
		}
		from = to
	}
	for i := 0; i < len(s); i++ {
		var next place
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return at, fmt.Errorf("%q does not belong in a URL; percent-encode it", c)
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return at, errors.New("holds an invalid percent escape")
			}
			continue
		case c == '#' && at != inFragment:
			next = inFragment
		case c == '?' && at < inQuery:
			next = inQuery
		case c == '/' && at == inHost:
			next = inPath
		case (c == '@' || c == ':') && at == inHost:
			return at, errors.New("holds no user, password or port behind the scheme")
		default:
			continue
		}
		flush(i)
		at = next
	}
	flush(len(s))
	return at, nil
}

// scan finds the templates of a text. What came from outside the file is text.
func scan(t template.Text) (out []targetPart, err error) {
	text := func(s string) {
		if s == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].is == isText {
			out[n-1].text += s
			return
		}
		out = append(out, targetPart{text: s})
	}
	for _, piece := range t.Pieces {
		rest := piece.Text
		for !piece.Literal {
			i := strings.Index(rest, "{{")
			if i < 0 {
				break
			}
			text(rest[:i])
			end := strings.Index(rest[i:], "}}")
			if end < 0 {
				return nil, errors.New("a template is not closed by }}")
			}
			p, err := readValue(rest[i : i+end+2])
			if err != nil {
				return nil, err
			}
			out, rest = append(out, p), rest[i+end+2:]
		}
		text(rest)
	}
	return out, nil
}

// readValue reads one template, braces included: {{path}}, {{query}}, or as in a
// route {{params.x}} and {{query.x}}.
func readValue(s string) (targetPart, error) {
	switch strings.TrimSpace(s[2 : len(s)-2]) {
	case "path":
		return targetPart{is: isWholePath}, nil
	case "query":
		return targetPart{is: isWholeQuery}, nil
	}
	c, err := template.Compile(template.Parse(s), template.Params|template.Query)
	if err != nil {
		return targetPart{}, err
	}
	ref, ok := c.Alone()
	if !ok {
		return targetPart{}, fmt.Errorf("%s: cannot be read", s)
	}
	is := isParam
	if ref.Source == template.Query {
		is = isQueryParam
	}
	return targetPart{is: is, name: ref.Path[0].Name}, nil
}

// lookup is what a target reads of a request.
type lookup struct {
	param func(name string) string // decoded; of "*" as it stands in the path
	query func(name string) string // decoded, the first
	path  []request.Segment
	raw   string // the query, without what is ours
}

// String makes the target of a request. ok is false where the request's values
// make none: a path segment that would be empty or a dot segment, or hold what no
// path may.
func (t *target) String(in lookup) (s string, ok bool) {
	var b strings.Builder
	b.WriteString(t.fixed)
	end := -1 // of the path
	for _, p := range t.parts {
		if p.at >= inQuery && end < 0 {
			end = b.Len()
		}
		switch p.is {
		case isText:
			b.WriteString(p.text)
		case isParam:
			v := in.param(p.name)
			switch {
			case p.name == "*" && p.at < inQuery:
				b.WriteString(wholePath(strings.Split(v, "/"), p.at))
			case v == "" && p.at < inQuery:
				return "", false
			default:
				b.WriteString(request.EscapeQuery(v))
			}
		case isQueryParam:
			v := in.query(p.name)
			if v == "" && p.at < inQuery {
				return "", false
			}
			b.WriteString(request.EscapeQuery(v))
		case isWholePath:
			whole := make([]string, len(in.path))
			for i, s := range in.path {
				whole[i] = s.Text
			}
			if p.at < inQuery {
				b.WriteString(wholePath(whole, p.at))
			} else {
				b.WriteString(request.EscapeQuery(strings.Join(whole, "/")))
			}
		case isWholeQuery:
			b.WriteString(cleanQuery(in.raw))
		}
	}
	if s = b.String(); len(s) > maxTarget {
		return "", false
	}
	if end < 0 {
		end = len(s)
	}
	if !plainPath(s[len(t.fixed):end]) {
		return "", false
	}
	return tidy(s, end), true
}

// wholePath joins segments that are in canonical form. In the place of a host the
// first one is escaped to its letters, so that it names no user and no port.
func wholePath(segments []string, at place) string {
	if at == inHost && len(segments) > 0 {
		if v, err := url.PathUnescape(segments[0]); err == nil {
			segments[0] = request.EscapeQuery(v)
		}
	}
	return strings.Join(segments, "/")
}

// plainPath reports whether a path means the same to every reader: no dot
// segments, nor what some take for one, no controls, UTF-8.
func plainPath(s string) bool {
	for seg := range strings.SplitSeq(s, "/") {
		v, err := url.PathUnescape(seg)
		if err != nil || !utf8.ValidString(v) || request.HidesDots(v) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			return false
		}
	}
	return true
}

// cleanQuery is a query as it came, with what a URL cannot hold percent-encoded.
func cleanQuery(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '%' && i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]),
			c != '%' && c > ' ' && c < 0x7f && strings.IndexByte("\"#<>\\^`{|}'", c) < 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// tidy takes away a ? or & that an empty {{query}} left behind it.
func tidy(s string, path int) string {
	for len(s) > path && (strings.HasSuffix(s, "&") || strings.HasSuffix(s, "?")) {
		s = s[:len(s)-1]
	}
	return s
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
