package portal

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// compared is a field of a form as it stands now, and as it was typed.
type compared struct{ Label, Now, Yours string }

// Long reports whether one of them has lines. It is for templates.
func (c compared) Long() bool { return strings.Contains(c.Now+c.Yours, "\n") }

// differing are the fields of which something else stands than was typed, without
// the lines that are the same in both.
func differing(list []compared) (out []compared) {
	for _, c := range list {
		if c.Now == c.Yours {
			continue
		}
		c.Now, c.Yours = apart(c.Now, c.Yours)
		out = append(out, c)
	}
	return out
}

// apart leaves of two texts the lines where they differ, with one around them.
func apart(a, b string) (string, string) {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	first := 0
	for first < min(len(x), len(y)) && x[first] == y[first] {
		first++
	}
	last := 0
	for last < min(len(x), len(y))-first && x[len(x)-1-last] == y[len(y)-1-last] {
		last++
	}
	cut := func(lines []string) string {
		from, to := max(0, first-1), min(len(lines), len(lines)-last+1)
		text := shorter(strings.Join(lines[from:to], "\n"))
		if from > 0 {
			text = "…\n" + text
		}
		if to < len(lines) {
			text += "\n…"
		}
		return text
	}
	return cut(x), cut(y)
}

// shorter bounds what stands of a field beside another: the whole of what was typed
// is in the form.
func shorter(text string) string { return short(text, 2000) }

// listed is a list as a line, in one order.
func listed(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), ", ") }

// typed is a field as it was posted; what the form has not is as it stands.
func (f *form) typed(label, name, now string) compared {
	c := compared{label, now, now}
	if f.values.Has(name) {
		c.Yours = f.get(name)
	}
	return c
}

// typedJSON is typed for JSON, where blanks are nothing.
func (f *form) typedJSON(label, name string, now json.RawMessage) compared {
	c := f.typed(label, name, legible(now))
	if sameJSON(c.Yours, string(now)) {
		c.Yours = c.Now
	}
	return c
}

func sameJSON(a, b string) bool {
	x, ok := valueOf(cmp.Or(a, "null"))
	y, okToo := valueOf(cmp.Or(b, "null"))
	return ok && okToo && reflect.DeepEqual(x, y)
}

// valueOf keeps numbers as they are written: two long ones that differ in the last
// digit are one as float64.
func valueOf(text string) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	ok = json.Valid([]byte(text)) && d.Decode(&v) == nil
	return v, ok
}

// checked is a box of a form.
func (f *form) checked(label, name string, now bool) compared {
	words := map[bool]string{true: "yes", false: "no"}
	return compared{label, words[now], words[f.get(name) != ""]}
}
