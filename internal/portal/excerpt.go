package portal

import (
	"html/template"
	"reflect"
	"strings"
)

// first is the beginning of a list of any kind, for what comes of a configuration,
// which bounds no list: {{range first 20 .Warnings}}.
func first(n int, list any) any {
	v := reflect.ValueOf(list)
	return v.Slice(0, min(n, v.Len())).Interface()
}

// beyond is how many more there are: {{with beyond 20 .Warnings}}and {{.}} more{{end}}.
func beyond(n int, list any) int { return max(0, reflect.ValueOf(list).Len()-n) }

// lead is the beginning of a long text, whole lines of at most so many bytes on the
// page, with how many lines that is and how many there are.
type lead struct {
	Text     string
	Of, Upto int
}

func leadOf(text string, most int) lead {
	if text == "" {
		return lead{}
	}
	l := lead{Of: strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1}
	room, end := most, 0
	for line := range strings.Lines(text) {
		if room -= len(template.HTMLEscapeString(line)); room < 0 {
			break
		}
		end += len(line)
		l.Upto++
	}
	if l.Text = text[:end]; l.Upto == 0 { // one line that is longer than all
		l.Text, l.Upto = short(text, most/6), 1
	}
	return l
}

// Cut reports whether there is more.
func (l lead) Cut() bool { return l.Upto < l.Of || strings.HasSuffix(l.Text, "…") }
