package input

import (
	"strings"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/request"
)

// maxSearch bounds, in bytes, what somebody looks for in a list.
const maxSearch = 200

// Search reads a query parameter that says what the rows of a list hold, as the
// pattern that LIKE compares a lower-case column with; ! takes the meaning from
// what follows it (ESCAPE '!'). "" says that nothing is looked for.
func Search(v *request.View, name string) (pattern string, err error) {
	text, _, err := Query(v, name)
	text = strings.TrimSpace(text)
	switch {
	case err != nil || text == "":
		return "", err
	case len(text) > maxSearch || !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return "", Invalid(name, "must be at most 200 bytes of text")
	}
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(text)) + "%", nil
}

// OneOf reads a query parameter that is one of a few words, or not there.
func OneOf(v *request.View, name string, words ...string) (string, error) {
	text, _, err := Query(v, name)
	if err != nil || text == "" {
		return "", err
	}
	for _, w := range words {
		if text == w {
			return w, nil
		}
	}
	return "", Invalid(name, "must be "+strings.Join(words, ", "))
}
