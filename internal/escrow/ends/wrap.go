package ends

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"strings"

	"github.com/go-jose/go-jose/v4"
	josecipher "github.com/go-jose/go-jose/v4/cipher"
	"golang.org/x/text/unicode/norm"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// ErrPassphrase is said where a passphrase does not open a wrapping.
var ErrPassphrase = errors.New("the passphrase is wrong")

// errAltered is said where the passphrase, or the shares, are right and the
// content is not what was encrypted.
var errAltered = errors.New("the wrapped key was altered: its content is not what was encrypted")

// Passphrase is the one spelling of a passphrase that keys are derived from:
// NFKC, in UTF-8.
func Passphrase(text string) []byte { return norm.NFKC.Bytes([]byte(text)) }

// pbes2 is the algorithm of a wrapping; its name is a part of the salt.
const pbes2 = "PBES2-HS512+A256KW"

// Wrap wraps a key by a passphrase, with a count between envelope.LeastCount and
// envelope.MostCount.
func Wrap(k *Key, passphrase string, count int) (string, error) {
	set, err := k.Set()
	if err != nil {
		return "", err
	}
	defer clear(set)
	salt := make([]byte, 32)
	_, _ = rand.Read(salt) // never fails
	opts := (&jose.EncrypterOptions{}).WithContentType("jwk-set+json")
	compact, err := encrypt(jose.Recipient{Algorithm: pbes2, Key: Passphrase(passphrase), KeyID: k.Public.Kid, PBES2Count: count, PBES2Salt: salt}, opts, set)
	if err != nil {
		return "", err
	}
	return compact, envelope.CheckWrapping(compact, k.Public.Kid)
}

// Unwrap opens the wrapping of the key that a kid names, in either format: the
// text of a JWE, or the JSON of an imported one.
func Unwrap(wrapped, kid, passphrase string) (*Key, error) {
	if strings.HasPrefix(strings.TrimSpace(wrapped), "{") {
		return unwrapImported([]byte(wrapped), kid, passphrase)
	}
	if err := envelope.CheckWrapping(wrapped, kid); err != nil { // before anything is derived
		return nil, badly("the wrapped key", err)
	}
	parts := strings.Split(wrapped, ".")
	var h struct {
		Salt  string `json:"p2s"`
		Count int    `json:"p2c"`
	}
	if err := json.Unmarshal(part(parts[0]), &h); err != nil {
		return nil, err
	}
	// The key is derived and unwrapped here rather than by go-jose, which says
	// nothing of where it failed: a wrong passphrase fails at the content key, and
	// what was altered fails after it.
	salt := append([]byte(pbes2+"\x00"), part(h.Salt)...)
	derived, err := pbkdf2.Key(sha512.New, string(Passphrase(passphrase)), salt, h.Count, 32)
	if err != nil {
		return nil, err
	}
	defer clear(derived)
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	content, err := josecipher.KeyUnwrap(block, part(parts[1]))
	if err != nil {
		return nil, ErrPassphrase
	}
	defer clear(content)
	set, err := decrypt(content, parts)
	if err != nil {
		return nil, err
	}
	defer clear(set)
	k, err := readSet(set)
	if err != nil {
		return nil, err
	}
	return k.of(kid)
}

// decrypt opens a compact JWE, taken apart, whose content key is known.
func decrypt(content []byte, parts []string) ([]byte, error) {
	gcm, err := gcmOf(content, 12)
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, part(parts[2]), append(part(parts[3]), part(parts[4])...), []byte(parts[0]))
	if err != nil {
		return nil, errAltered
	}
	return plaintext, nil
}

func gcmOf(key []byte, iv int) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithNonceSize(block, iv)
}

// part decodes what envelope found to be base64url.
func part(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// unwrapImported opens what the older system wrapped. It has no other check than
// the content's, so that a wrong passphrase and an altered content look the same.
func unwrapImported(raw []byte, kid, passphrase string) (*Key, error) {
	w, err := envelope.ParseImported(raw)
	if err != nil {
		return nil, badly("the imported wrapping", err)
	}
	sum := map[string]func() hash.Hash{"SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New}[w.Hash]
	text := func(s string) []byte { b, _ := base64.StdEncoding.DecodeString(s); return b } // ParseImported wrote it
	// The older system took the passphrase as it was typed, which is NFC on nearly
	// every keyboard; where NFKC changes something both are tried.
	for _, spelled := range spellings(passphrase) {
		derived, err := pbkdf2.Key(sum, spelled, text(w.Salt), w.Iterations, 32)
		if err != nil {
			return nil, err
		}
		iv := text(w.IV)
		gcm, err := gcmOf(derived, len(iv))
		clear(derived)
		if err != nil {
			return nil, err
		}
		plaintext, err := gcm.Open(nil, iv, text(w.Ciphertext), nil)
		if err != nil {
			continue
		}
		defer clear(plaintext)
		k, err := readAny(plaintext)
		if err != nil {
			return nil, err
		}
		return k.of(kid)
	}
	return nil, ErrPassphrase
}

func spellings(passphrase string) []string {
	folded := string(Passphrase(passphrase))
	if folded == passphrase {
		return []string{passphrase}
	}
	return []string{passphrase, folded}
}
