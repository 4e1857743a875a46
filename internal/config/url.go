package config

import (
	"reflect"
	"strings"
)

const urlForm = "must be a URL without spaces or control characters"

func readURL(d *Document, n *node, v reflect.Value, path string) bool {
	t, ok := d.untemplated(n, path)
	if !ok {
		return false
	}
	var b strings.Builder
	for i, s := range t.stretches {
		piece := s.text
		if s.outside {
			if piece, ok = encodePart(b.String(), following(t.stretches[i+1:]), piece); !ok {
				d.report(path, false, "what came from outside stands in the host and holds what no host may")
				return false
			}
		}
		b.WriteString(piece)
	}
	whole := b.String()
	if strings.ContainsFunc(whole, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		d.report(path, false, urlForm) // not quoted: it may hold a password
		return false
	}
	if passwordWritten(t) {
		p := d.problem(path, "a password is written out in this URL; use {{env.NAME}} or {{file.PATH}} in its place")
		d.inline = append(d.inline, p)
	}
	v.SetString(whole)
	return true
}

// following is what comes after, values from outside standing as one letter.
func following(list []stretch) string {
	var b strings.Builder
	for _, s := range list {
		if s.outside {
			b.WriteByte('x')
			continue
		}
		b.WriteString(s.text)
	}
	return b.String()
}

// encodePart fits a value from outside into the part of the URL it stands in.
// before is the URL so far, after what follows in the file. At the beginning a value is taken as it is (a whole URL, or
// its scheme and host); so it is in a URL without authority ("sqlite:…").
func encodePart(before, after, value string) (string, bool) {
	_, rest, hasAuthority := strings.Cut(before, "://")
	if !hasAuthority {
		return value, true
	}
	end := strings.IndexAny(rest, "/?#")
	if end >= 0 {
		return escapeAll(value), true
	}
	if authority, _, _ := cutAny(after, "/?#"); strings.Contains(authority, "@") {
		return escapeAll(value), true
	}
	for i := range len(value) {
		if c := value[i]; !unreserved(c) && c != ':' && c != '[' && c != ']' {
			return "", false
		}
	}
	return value, true
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// escapeAll percent-encodes everything but RFC 3986's unreserved characters,
// so that the value can end no part and begin no other.
func escapeAll(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// passwordWritten reports whether the file itself holds a password in the
// URL's authority.
func passwordWritten(t text) bool {
	var b strings.Builder
	for _, s := range t.stretches {
		if s.outside {
			b.WriteByte(0)
			continue
		}
		b.WriteString(s.text)
	}
	_, rest, has := strings.Cut(b.String(), "://")
	authority, _, _ := cutAny(rest, "/?#")
	at := strings.LastIndexByte(authority, '@')
	if !has || at < 0 {
		return false
	}
	_, password, has := strings.Cut(authority[:at], ":")
	return has && strings.Trim(password, "\x00") != ""
}
