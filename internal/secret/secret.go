// Package secret holds values that never print.
//
// Every way Go has of turning a value into text (fmt in all verbs, slog, JSON,
// text and YAML marshalling) yields "[redacted]". Reveal is the one way out and
// is easy to grep for.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"unique"
)

const redacted = "[redacted]"

// Value is a secret text. The zero Value is empty. Values are comparable: equal
// texts make equal values.
type Value struct {
	// text is behind a pointer because fmt asks no Formatter about %p: with a
	// plain string the text would stand in its complaint about the verb.
	text unique.Handle[string]
}

// New wraps a text.
func New(text string) Value {
	if text == "" {
		return Value{}
	}
	return Value{text: unique.Make(text)}
}

// Reveal returns the text itself. Call it where the secret is used, never
// where something is printed.
func (v Value) Reveal() string {
	if v == (Value{}) {
		return ""
	}
	return v.text.Value()
}

// Empty reports whether there is no secret.
func (v Value) Empty() bool { return v == (Value{}) }

// Len is the length in bytes.
func (v Value) Len() int { return len(v.Reveal()) }

// Equal compares in constant time for texts of any length.
func (v Value) Equal(text string) bool {
	a, b := sha256.Sum256([]byte(v.Reveal())), sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (v Value) String() string               { return redacted }
func (v Value) GoString() string             { return redacted }
func (v Value) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (v Value) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (v Value) MarshalYAML() (any, error)    { return redacted, nil }
