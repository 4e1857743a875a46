package request

import "strings"

// Field is one header field as it was received: the name as written, the value
// without surrounding blanks.
type Field struct{ Name, Value string }

// Header is a request's or reply's fields in their order on the wire.
type Header []Field

// Get returns the value of the first field called name (ASCII case ignored),
// or "".
func (h Header) Get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Count reports how many fields are called name (ASCII case ignored).
func (h Header) Count(name string) int {
	n := 0
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			n++
		}
	}
	return n
}

// Has reports whether a field is called name.
func (h Header) Has(name string) bool {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Values returns the values of all fields called name, in order.
func (h Header) Values(name string) []string {
	var out []string
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			out = append(out, h[i].Value)
		}
	}
	return out
}

// Fold is the form under which an upstream might take two header names for the
// same one: lower case, with every character but letters and digits read as '-'.
// WSGI and several frameworks read '_' and '.' so, CGI of lighttpd and of older
// Apaches each of "!#$%&'*+.^_`|~". Compare names to strip by their folds.
func Fold(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != folded(c) {
			b := []byte(name)
			for ; i < len(b); i++ {
				b[i] = folded(b[i])
			}
			return string(b)
		}
	}
	return name
}

func folded(c byte) byte {
	switch {
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c >= 0x80:
		return c
	case 'A' <= c && c <= 'Z':
		return c + ('a' - 'A')
	}
	return '-'
}

// Cookies returns the values of every cookie called name, over all Cookie
// fields, in order. Cookie names are case-sensitive (RFC 6265 section 4.1.1).
func (h Header) Cookies(name string) []string {
	var out []string
	for i := range h {
		if !strings.EqualFold(h[i].Name, "Cookie") {
			continue
		}
		rest := h[i].Value
		for rest != "" {
			var pair string
			pair, rest, _ = strings.Cut(rest, ";")
			k, v, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if ok && strings.TrimSpace(k) == name {
				v = strings.TrimSpace(v)
				if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
					v = v[1 : len(v)-1]
				}
				out = append(out, v)
			}
		}
	}
	return out
}
