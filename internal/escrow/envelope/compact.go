package envelope

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

// maxHeader bounds a protected header, decoded.
const maxHeader = 4 << 10

// header is a protected header whose members are those that a format lists.
type header map[string]any

// split takes a compact serialisation apart: n parts of canonical base64url.
func split(compact string, n, most int) ([][]byte, error) {
	if len(compact) > most {
		return nil, fmt.Errorf("must be at most %d bytes", most)
	}
	if strings.Count(compact, ".") != n-1 {
		return nil, fmt.Errorf("must be the compact form: %d parts with points between them", n)
	}
	out := make([][]byte, 0, n)
	for part := range strings.SplitSeq(compact, ".") {
		b, err := decode(part)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// decode reads base64url without padding, in its one spelling. encoding/base64
// alone passes over line breaks.
func decode(part string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil || strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("must be base64url without padding, in its one spelling")
	}
	return b, nil
}

// readHeader reads a protected header that has all of need and besides them none
// but those of may.
func readHeader(raw []byte, need, may []string) (header, error) {
	m, err := jws.DecodeObject(raw, maxHeader)
	if err != nil {
		return nil, errors.New("must have a protected header that is one JSON object, no member of it twice")
	}
	for _, name := range need {
		if _, ok := m[name]; !ok {
			return nil, fmt.Errorf("must have %s in its protected header", name)
		}
	}
	for name := range m {
		if name == "zip" || name == "crit" {
			return nil, fmt.Errorf("must not have %s in its protected header", name)
		}
		if !slices.Contains(need, name) && !slices.Contains(may, name) {
			return nil, errors.New("must have in its protected header " + strings.Join(need, ", ") + " and nothing that is not described")
		}
	}
	return m, nil
}

// is requires a text member that is there to be one of some.
func (h header) is(name string, values ...string) error {
	v, there := h[name]
	if s, ok := v.(string); there && (!ok || !slices.Contains(values, s)) {
		return fmt.Errorf("must say %s %s in its protected header", name, strings.Join(values, " or "))
	}
	return nil
}

// text is a member's text, "" where it is absent or no text.
func (h header) text(name string) string {
	s, _ := h[name].(string)
	return s
}

// texts requires members that are there to be texts of 1 to most bytes.
func (h header) texts(most int, names ...string) error {
	for _, name := range names {
		v, there := h[name]
		if s, ok := v.(string); there && (!ok || s == "" || len(s) > most) {
			return fmt.Errorf("must have as %s in its protected header a text of 1 to %d bytes", name, most)
		}
	}
	return nil
}

// first is the first error.
func first(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// The sizes of A256GCM (RFC 7518 section 5.3).
const (
	ivBytes  = 12
	tagBytes = 16
)

// gcm checks the three parts of a JWE that A256GCM made.
func gcm(iv, ciphertext, tag []byte) error {
	if len(iv) != ivBytes || len(tag) != tagBytes || len(ciphertext) == 0 {
		return errors.New("must be encrypted by A256GCM: an IV of 12 bytes, a ciphertext, a tag of 16 bytes")
	}
	return nil
}
