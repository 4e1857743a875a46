package secrets

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
)

// Bounds.
const (
	MaxValue    = 64 << 10 // bytes of a value
	maxName     = 128      // characters of a key
	maxMetadata = 4 << 10  // bytes of metadata as JSON
	maxSecrets  = 1000     // of one tenant
	maxGrace    = 90       // days
)

// Errors of the rules.
var (
	ErrTaken   = fault.New(fault.Conflict, "secret_taken", "A secret of this key exists; rotate it to change its value")
	ErrTooMany = fault.New(fault.Conflict, "too_many_secrets", "The tenant has as many secrets as it may have")
	ErrNone    = fault.New(fault.NotFound, "no_secret", "Secret not found")
)

// Secret is what anybody may know of a secret.
type Secret struct {
	Key       string    `json:"key"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	// LastUsedAt and Uses are of headers that were made of it; they are some
	// seconds behind.
	LastUsedAt *time.Time      `json:"lastUsedAt"`
	Uses       int64           `json:"uses"`
	Metadata   json.RawMessage `json:"metadata"`
	// UsableInHeaders is false where the value holds what no header can carry.
	UsableInHeaders bool `json:"usableInHeaders"`
	// PreviousExpiresAt is when the value before the last rotation is removed.
	PreviousExpiresAt *time.Time `json:"previousExpiresAt,omitempty"`
}

// validName reports whether s is [A-Za-z_][A-Za-z0-9_.-]{0,127}.
func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '.' || c == '-'):
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

func checkName(f *input.Fields, name string) {
	if !validName(name) {
		f.Add("key", "must be 1 to 128 letters, digits, _, . and -, and begin with a letter or _")
	}
}

func checkValue(f *input.Fields, field, value string) {
	switch {
	case value == "":
		f.Add(field, "must not be empty")
	case len(value) > MaxValue:
		f.Add(field, "must be at most 65536 bytes long")
	case !utf8.ValidString(value):
		f.Add(field, "must be UTF-8")
	}
}

// metadata brings what came in into the form that is stored: an object, on one
// line.
func metadata(f *input.Fields, raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return "{}"
	}
	var one bytes.Buffer
	switch err := json.Compact(&one, raw); {
	case err != nil || !strings.HasPrefix(one.String(), "{"):
		f.Add("metadata", "must be an object")
	case one.Len() > maxMetadata:
		f.Add("metadata", "must be at most 4096 bytes of JSON")
	case bytes.Contains(one.Bytes(), []byte(`\u0000`)):
		f.Add("metadata", "must not hold the character NUL")
	}
	return one.String()
}

// fitsHeader reports whether a header field brings the very value to every
// reader: the gateway refuses the others.
func fitsHeader(s string) bool {
	return strings.TrimSpace(s) == s && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
