package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// EnvFiles reads .dev.vars and .env in dir, where they exist; the first that
// has a variable wins. The process's own environment, which wins over both,
// is the caller's business, and so is that neither is read in prod. The error
// names every line that is not NAME=VALUE and quotes none.
func EnvFiles(dir string) (lookup func(string) (string, bool), err error) {
	vars := map[string]string{}
	var problems []error
	for _, name := range [...]string{".dev.vars", ".env"} {
		b, err := readBounded(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: cannot be read: %w", name, err))
			continue
		}
		found, bad := parseEnv(string(b))
		for _, p := range bad {
			problems = append(problems, fmt.Errorf("%s:%d: %s", name, p.line, p.message))
		}
		for k, v := range found {
			if _, taken := vars[k]; !taken {
				vars[k] = v
			}
		}
	}
	lookup = func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	return lookup, errors.Join(problems...)
}

// parseEnv reads NAME=VALUE lines as dotenv does: `export ` before the name,
// comments, values in single quotes as they are, in double quotes with \n, \t,
// \" and \\, both over several lines; a bare value ends at " #". Nothing is
// expanded. Of a name that stands twice the last counts.
func parseEnv(src string) (vars map[string]string, problems []flaw) {
	vars = map[string]string{}
	src = strings.ReplaceAll(strings.TrimPrefix(src, "\ufeff"), "\r\n", "\n")
	for line := 1; src != ""; {
		first, rest, _ := strings.Cut(src, "\n")
		text := strings.TrimSpace(first)
		if text == "" || text[0] == '#' {
			src, line = rest, line+1
			continue
		}
		name, value, has := strings.Cut(strings.TrimPrefix(text, "export "), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		fail := func(message string) {
			problems = append(problems, flaw{place: place{line: line}, message: message})
		}
		switch {
		case !has || !variable.MatchString(name):
			fail("is not NAME=VALUE")
		case value != "" && (value[0] == '"' || value[0] == '\''):
			_, from, _ := strings.Cut(src, "=")
			content, after, closed := quoted(strings.TrimLeft(from, " \t"))
			if !closed {
				fail("the quote is never closed")
				break
			}
			vars[name] = content
			tail, next, _ := strings.Cut(after, "\n")
			if tail = strings.TrimSpace(tail); tail != "" && tail[0] != '#' {
				fail("text after the closing quote")
			}
			line += strings.Count(src[:len(src)-len(next)], "\n") - 1
			rest = next
		default:
			if i := strings.Index(value, " #"); i >= 0 {
				value = strings.TrimSpace(value[:i])
			}
			vars[name] = value
		}
		src, line = rest, line+1
	}
	return vars, problems
}

// quoted reads a value from its opening quote on.
func quoted(s string) (content, after string, closed bool) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return b.String(), s[i+1:], true
		case c == '\\' && quote == '"' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$':
				b.WriteByte(s[i])
			default:
				b.Write([]byte{'\\', s[i]})
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
