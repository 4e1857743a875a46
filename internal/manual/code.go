package manual

import (
	"bytes"
	"html"
	"io"
	"strings"
)

// writeCode writes a block of code. In a session of a shell ("console") what is
// typed and what is printed are told apart; in YAML comments are. The copy button
// is the script's to add: without it there is none.
func writeCode(w io.Writer, language, code string) {
	code = strings.TrimSuffix(code, "\n")
	lines := strings.Split(code, "\n")
	var file string
	if len(lines) > 1 {
		if name, ok := strings.CutPrefix(lines[0], "# file: "); ok {
			file, lines = name, lines[1:]
		} else if lines[0] == "# check" || lines[0] == "# refused" { // marks for the tests
			lines = lines[1:]
		}
	}
	var b strings.Builder
	if file != "" {
		b.WriteString(`<p class="file"><code>` + html.EscapeString(file) + "</code></p>\n")
	}
	class := ""
	if language == "console" {
		class = ` class="console"`
	}
	b.WriteString(`<pre tabindex="0"` + class + `><code>`)
	typed := false
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		switch language {
		case "console":
			typed = consoleLine(&b, line, typed)
		case "yaml", "sh":
			yamlLine(&b, line)
		default:
			b.WriteString(html.EscapeString(line))
		}
	}
	b.WriteString("</code></pre>\n")
	_, _ = io.WriteString(w, b.String())
}

// consoleLine writes a line, and reports whether the next one goes on with a
// command.
func consoleLine(b *strings.Builder, line string, typed bool) bool {
	command, prompt := strings.CutPrefix(line, "$ ")
	switch {
	case prompt:
		b.WriteString(`<i>$ </i><b>` + html.EscapeString(command) + "</b>")
	case typed:
		b.WriteString("<b>" + html.EscapeString(line) + "</b>")
	default:
		b.WriteString(html.EscapeString(line))
	}
	return (prompt || typed) && strings.HasSuffix(line, "\\")
}

// yamlLine writes a line with its comment told apart: from a # that begins it or
// stands behind a space, outside quotes.
func yamlLine(b *strings.Builder, line string) {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" [{,(=", line[i-1]) >= 0):
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' '):
			b.WriteString(html.EscapeString(line[:i]) + "<i>" + html.EscapeString(line[i:]) + "</i>")
			return
		}
	}
	b.WriteString(html.EscapeString(line))
}

// renderExample makes the article of a configuration: the comment that it begins
// with, as prose, then the file.
func (t *text) renderExample() error {
	var b bytes.Buffer
	var words []string
	lines := strings.Split(string(t.raw), "\n")
	for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
		words, lines = append(words, strings.TrimSpace(strings.TrimPrefix(lines[0], "#"))), lines[1:]
	}
	if len(words) > 0 {
		b.WriteString("<p>" + prose(strings.Join(words, " ")) + "</p>\n")
	}
	b.WriteString(`<p class="file"><code>examples/` + html.EscapeString(t.title) + "</code></p>\n")
	writeCode(&b, "yaml", strings.TrimSpace(strings.Join(lines, "\n")))
	t.article = b.Bytes()
	t.sections = []section{{words: t.raw}}
	return nil
}

// prose is a comment's text: what stands between backticks is code.
func prose(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			part = "<code>" + html.EscapeString(part) + "</code>"
		} else {
			part = html.EscapeString(part)
		}
		b.WriteString(part)
	}
	return b.String()
}
