package envelope

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/jws"
)

// FormatImported is the older system's wrapped private key.
const FormatImported = "pbkdf2-aesgcm"

// FormatWrapping is a wrapped private key as CheckWrapping takes it.
const FormatWrapping = "jwe"

// Bounds of an imported wrapping's count: what it has is what it has, but nobody's
// browser is kept busy for minutes.
const (
	leastImported = 1_000
	mostImported  = 5_000_000
)

// Imported is the older system's wrapped private key: PBKDF2 over the passphrase,
// AES-256-GCM over the key. The byte strings are in base64.
type Imported struct {
	Format     string `json:"format"`
	Hash       string `json:"hash"` // SHA-256, SHA-384 or SHA-512
	Iterations int    `json:"iterations"`
	Salt       string `json:"salt"`
	IV         string `json:"iv"`
	Ciphertext string `json:"ciphertext"` // with the tag at its end
}

// ParseImported reads the JSON of an older wrapping. The documents name neither
// its members nor its count, so that the usual spellings of them are taken, and
// what does not say its count is refused: nobody could open it.
func ParseImported(raw []byte) (Imported, error) {
	m, err := jws.DecodeObject(raw, MaxWrapping)
	if err != nil {
		return Imported{}, errors.New("must be one JSON object, no member of it twice")
	}
	out := Imported{Format: FormatImported, Hash: "SHA-256"}
	h := header(m)
	if f := h.text("format"); f != "" && f != FormatImported {
		return Imported{}, errors.New("must be of the format " + FormatImported)
	}
	if v := one(h, "hash", "prf"); v != nil {
		s, _ := v.(string)
		switch strings.ToUpper(strings.ReplaceAll(s, "-", "")) {
		case "SHA256":
		case "SHA384":
			out.Hash = "SHA-384"
		case "SHA512":
			out.Hash = "SHA-512"
		default:
			return Imported{}, errors.New("must name as hash SHA-256, SHA-384 or SHA-512")
		}
	}
	n, _ := one(h, "iterations", "iter", "rounds").(json.Number)
	if out.Iterations, err = strconv.Atoi(n.String()); err != nil || out.Iterations < leastImported || out.Iterations > mostImported {
		return Imported{}, fmt.Errorf("must name as iterations a whole number from %d to %d", leastImported, mostImported)
	}
	for _, b := range []struct {
		to          *string
		least, most int
		names       []string
	}{
		{&out.Salt, 8, 256, []string{"salt"}}, {&out.IV, 12, 16, []string{"iv", "nonce"}}, {&out.Ciphertext, tagBytes + 1, MaxWrapping, []string{"ciphertext", "ct", "data", "wrapped"}},
	} {
		s, _ := one(h, b.names...).(string)
		raw, ok := anyBase64(s)
		if !ok || len(raw) < b.least || len(raw) > b.most {
			return Imported{}, fmt.Errorf("must have as %s %d to %d bytes in base64", b.names[0], b.least, b.most)
		}
		*b.to = base64.StdEncoding.EncodeToString(raw)
	}
	return out, nil
}

// one is the first of some members that is there.
func one(h header, names ...string) any {
	for _, name := range names {
		if v, there := h[name]; there {
			return v
		}
	}
	return nil
}

// anyBase64 reads either alphabet, padded or not.
func anyBase64(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil && s != "" && !strings.ContainsAny(s, "\r\n")
}
