package config

import (
	"strconv"
	"strings"
)

// Key is the path element of a mapping's key: the key itself where it is a
// plain word, else quoted in brackets: `["/login"]`. Join it with At.
func Key(name string) string {
	if plainWord(name) {
		return name
	}
	return "[" + strconv.Quote(name) + "]"
}

// Index is the path element of a list's member: "[3]".
func Index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func plainWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return false
		}
	}
	return s != ""
}

// join puts a relative path behind another.
func join(path, rel string) string {
	if path == "" || rel == "" || rel[0] == '[' {
		return path + rel
	}
	return path + "." + rel
}

// step takes the first element off a path: a name, or an index (name empty).
func step(path string) (name string, index int, rest string, ok bool) {
	path = strings.TrimPrefix(path, ".")
	if !strings.HasPrefix(path, "[") {
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		return path[:end], 0, path[end:], end > 0
	}
	if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
		name, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(path[1+len(quoted):], "]")
		return name, 0, rest, err == nil && closed && name != ""
	}
	digits, rest, closed := strings.Cut(path[1:], "]")
	index, err := strconv.Atoi(digits)
	return "", index, rest, closed && err == nil
}

// place is a spot in the file.
type place struct{ line, column int }

// locate finds the place of a path, or of its nearest ancestor that the file
// holds; exact reports whether it is the path itself. A key's place is that of
// its name, since that is what a reader looks for.
func (d *Document) locate(path string) (at place, exact bool) {
	n := d.root
	if n == nil {
		return place{}, false
	}
	at = place{n.line, n.column}
	for path != "" {
		name, index, rest, ok := step(path)
		if !ok {
			return at, false
		}
		switch {
		case name != "":
			m, found := n.find(name)
			if !found {
				return at, false
			}
			n, at = m.value, place{m.line, m.column}
		case n.kind == Sequence && index >= 0 && index < len(n.items):
			n = n.items[index]
			at = place{n.line, n.column}
		case n.kind != Sequence && index == 0: // one value stands for a list of one
		default:
			return at, false
		}
		path = rest
	}
	return at, true
}

// asWritten is a path as the file has it: where one value stands for a list of
// one there is no index to count to.
func (d *Document) asWritten(path string) string {
	n, out := d.root, ""
	for rest := path; n != nil && rest != ""; {
		name, index, after, ok := step(rest)
		if !ok {
			return path
		}
		element := strings.TrimPrefix(rest[:len(rest)-len(after)], ".")
		switch {
		case name != "":
			m, found := n.find(name)
			if !found {
				return join(out, strings.TrimPrefix(rest, "."))
			}
			n, out = m.value, join(out, element)
		case n.kind == Sequence && index >= 0 && index < len(n.items):
			n, out = n.items[index], join(out, element)
		case n.kind != Sequence && index == 0:
		default:
			return join(out, rest)
		}
		if rest = after; rest == "" {
			return out
		}
	}
	return path
}
