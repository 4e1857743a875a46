package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/secret"
)

const (
	keySize  = 32
	mostKeys = 64
	idLength = 32
)

// Key is a master key as it stands in the file.
type Key struct {
	ID     string       // [A-Za-z0-9_-]{1,32}; empty: one made of the key, so that a changed key has another id
	Secret secret.Value // 32 bytes in base64
}

// Keys are the master keys of a process. The zero pointer has none.
type Keys struct {
	first string
	ids   []string // as listed
	// byID holds the keys behind pointers, which fmt does not follow.
	byID map[string]*[keySize]byte
}

// New reads master keys: the first seals, all open. No keys at all are nil,
// which seals nothing and opens nothing.
func New(keys []Key) (*Keys, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > mostKeys {
		return nil, fmt.Errorf("there are %d master keys; at most %d may be listed", len(keys), mostKeys)
	}
	k := &Keys{byID: map[string]*[keySize]byte{}}
	owner := map[string]string{}
	for i, key := range keys {
		raw, err := decode(key.Secret)
		if err != nil {
			return nil, fmt.Errorf("%s %w", named(key.ID, i, len(keys)), err)
		}
		id := key.ID
		if id == "" {
			id = derivedID(raw)
		}
		if !ValidID(id) {
			return nil, fmt.Errorf("the id of master key %d must be 1 to %d letters, digits, _ or -", i+1, idLength)
		}
		if _, twice := k.byID[id]; twice {
			return nil, fmt.Errorf("two master keys have the id %q", id)
		}
		if other, same := owner[string(raw)]; same {
			return nil, fmt.Errorf("the master keys %q and %q are the same key", other, id)
		}
		k.byID[id], owner[string(raw)] = (*[keySize]byte)(raw), id
		k.ids = append(k.ids, id)
	}
	k.first = k.ids[0]
	return k, nil
}

// NewKey makes a master key, in base64.
func NewKey() string {
	raw := make([]byte, keySize)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(raw)
}

// ValidID reports whether a text can be the id of a master key.
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > idLength {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// First is the id of the key that seals, "" when there is none.
func (k *Keys) First() string {
	if k == nil {
		return ""
	}
	return k.first
}

// IDs are the ids of all keys in the order of the file.
func (k *Keys) IDs() []string {
	if k == nil {
		return nil
	}
	return append([]string(nil), k.ids...)
}

// Has reports whether a key of that id is listed.
func (k *Keys) Has(id string) bool {
	return k != nil && k.byID[id] != nil
}

// Format prints the ids alone, whatever the verb.
func (k Keys) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "master keys %q", k.ids) }

func decode(s secret.Value) ([]byte, error) {
	text := strings.TrimSpace(s.Reveal())
	if strings.ContainsAny(text, "\r\n") { // which base64 would skip
		return nil, errNoBase64
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		raw, err = base64.RawStdEncoding.Strict().DecodeString(text)
	}
	if err != nil {
		return nil, errNoBase64
	}
	if len(raw) != keySize {
		return nil, fmt.Errorf("has %d bytes; it must be %d bytes in base64, as portreeve masterkey new prints them", len(raw), keySize)
	}
	return raw, nil
}

// errNoBase64 stands for the decoder's own error, which counts bytes of the key.
var errNoBase64 = errors.New("is not base64; it must be 32 bytes in base64, as portreeve masterkey new prints them")

// named says which key of a list is meant without showing it.
func named(id string, i, of int) string {
	switch {
	case ValidID(id):
		return fmt.Sprintf("master key %q", id)
	case of == 1:
		return "the master key"
	default:
		return fmt.Sprintf("master key %d", i+1)
	}
}

// derivedID is the id of a key that was given none. It is a digest of an output
// of HKDF and not of the key, so that nothing is published that other derived
// keys depend on.
func derivedID(raw []byte) string {
	sum := sha256.Sum256(expand(raw, labelID, ""))
	return hex.EncodeToString(sum[:4])
}
