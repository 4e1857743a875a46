package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
)

// saltBytes is the length of the salts made here. Imported ones have eight
// bytes; any text serves.
const saltBytes = 16

// hashed is a token as it is kept: hex SHA-256 of salt, ":" and the token, the
// salt entering as its hex text. That is how the provisioning backend wrote its
// api_tokens, and one way for both formats is one way less to get wrong.
type hashed struct{ salt, hash string }

func newHash(text string) hashed {
	var b [saltBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	salt := hex.EncodeToString(b[:])
	return hashed{salt, digestOf(salt, text)}
}

func digestOf(salt, text string) string {
	h := sha256.New()
	h.Write([]byte(salt))
	h.Write([]byte{':'})
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// matches compares in constant time. A hash that is no hash matches nothing.
func (h hashed) matches(text string) bool {
	got := digestOf(h.salt, text)
	return subtle.ConstantTimeCompare([]byte(got), []byte(h.hash)) == 1
}

// decoy is what an unknown token is compared with, so that it costs what a
// wrong one costs. Its hash is of no text anybody has.
func decoy() hashed {
	return hashed{
		salt: "00000000000000000000000000000000",
		hash: "0000000000000000000000000000000000000000000000000000000000000000",
	}
}
