package vectors

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strings"

	josecipher "github.com/go-jose/go-jose/v4/cipher"
)

// What makes envelopes of any header, honest in everything else: that they are
// refused is for the one thing that is wrong with them.

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
func decode(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }

func drawn(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// jwe encrypts by a content key under any header.
func jwe(header string, encryptedKey, content, plaintext []byte) string {
	gcm := must(cipher.NewGCM(must(aes.NewCipher(content))))
	head, iv := encode([]byte(header)), drawn(12)
	out := gcm.Seal(nil, iv, plaintext, []byte(head))
	cut := len(out) - 16
	return strings.Join([]string{head, encode(encryptedKey), encode(iv), encode(out[:cut]), encode(out[cut:])}, ".")
}

func forgeSealed(header string, to *rsa.PublicKey, secret string) string {
	content := drawn(32)
	return jwe(header, must(rsa.EncryptOAEP(sha256.New(), rand.Reader, to, content, nil)), content, []byte(secret))
}

// forgeWrapped wraps by a passphrase; count is what is derived by, whatever the
// header says.
func forgeWrapped(header, salt, passphrase string, count int, plaintext []byte) string {
	whole := append([]byte("PBES2-HS512+A256KW\x00"), decode(salt)...)
	derived := must(pbkdf2.Key(sha512.New, passphrase, whole, count, 32))
	content := drawn(32)
	return jwe(header, must(josecipher.KeyWrap(must(aes.NewCipher(derived)), content)), content, plaintext)
}

func forgeJWS(header, payload string, by ed25519.PrivateKey) string {
	text := encode([]byte(header)) + "." + encode([]byte(payload))
	return text + "." + encode(ed25519.Sign(by, []byte(text)))
}

// bent is a compact form with one bit of a part changed.
func bent(compact string, part int) string {
	parts := strings.Split(compact, ".")
	b := decode(parts[part])
	b[len(b)/2] ^= 1
	parts[part] = encode(b)
	return strings.Join(parts, ".")
}

// otherSpelling spells the last character of a part so that its unused bits are
// not zero; ok false where it has none.
func otherSpelling(compact string, part int) (string, bool) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	parts := strings.Split(compact, ".")
	p := parts[part]
	if len(p)%4 == 0 || p == "" {
		return "", false
	}
	i := strings.IndexByte(alphabet, p[len(p)-1])
	parts[part] = p[:len(p)-1] + alphabet[i+1:i+2]
	return strings.Join(parts, "."), true
}
