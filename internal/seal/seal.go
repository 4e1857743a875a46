package seal

import (
	"crypto/rand"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	version   = 1
	nonceSize = chacha20poly1305.NonceSizeX
	tagSize   = chacha20poly1305.Overhead
	// Longest is how many bytes one value may have.
	Longest = 1 << 20
)

// Place is where a sealed value stands. A value opens only at the place that it
// was sealed for.
type Place struct {
	Purpose string // which key: "mfa", "tenant-secret:<tenant>", "session", "audit", "assertion"
	Table   string
	Column  string
	Tenant  string // empty for what belongs to no tenant
	Row     string // the row's id; of several columns: RowOf
}

// RowOf makes one text of a row's key of several columns, such that different
// keys never make the same text. One column is its own text.
func RowOf(columns ...string) string {
	if len(columns) == 1 {
		return columns[0]
	}
	var b []byte
	for _, c := range columns {
		b = appendField(b, c)
	}
	return string(b)
}

// Seal encrypts a value under the first key.
func (k *Keys) Seal(p Place, plain []byte) ([]byte, error) { return k.SealUnder("", p, plain) }

// SealUnder encrypts a value under the key of that id; the first if it is empty.
func (k *Keys) SealUnder(id string, p Place, plain []byte) ([]byte, error) {
	raw, id, err := k.find(id)
	if err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(plain) > Longest {
		return nil, errors.New("seal a value: it is too long")
	}
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails
	out := make([]byte, 0, 2+len(id)+nonceSize+len(plain)+tagSize)
	out = append(out, Prefix(id)...)
	out = append(out, nonce...)
	return box{expand(raw, labelSeal, p.Purpose)}.seal(out, nonce, plain, p.bound(id))
}

// Open decrypts a value that was sealed for this place under any of the keys.
// The errors are ErrNoKey, when its key is not listed, and ErrDamaged.
func (k *Keys) Open(p Place, sealed []byte) ([]byte, error) {
	if k == nil {
		return nil, noKey("there is no master key")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	id, rest, ok := split(sealed)
	if !ok {
		return nil, damaged("this is no sealed value")
	}
	raw, _, err := k.find(id)
	if err != nil {
		return nil, err
	}
	plain, err := box{expand(raw, labelSeal, p.Purpose)}.open(nil, rest[:nonceSize], rest[nonceSize:], p.bound(id))
	if err != nil {
		return nil, damaged("a sealed value of " + p.Table + "." + p.Column + " does not open at its place")
	}
	return plain, nil
}

// KeyID is the id of the key that a value says it is sealed under, "" when it is
// no sealed value. Nothing is verified.
func (k *Keys) KeyID(sealed []byte) string {
	id, _, _ := split(sealed)
	return id
}

// Prefix is what every value begins with that was sealed under a key, so that a
// store can count them.
func Prefix(keyID string) []byte {
	return append([]byte{version, byte(len(keyID))}, keyID...)
}

// split takes a sealed value apart: the id, and nonce with ciphertext.
func split(sealed []byte) (id string, rest []byte, ok bool) {
	if len(sealed) < 2 || sealed[0] != version {
		return "", nil, false
	}
	n := int(sealed[1])
	if n == 0 || n > idLength || len(sealed) < 2+n+nonceSize+tagSize || len(sealed) > 2+n+nonceSize+tagSize+Longest {
		return "", nil, false
	}
	if id = string(sealed[2 : 2+n]); !ValidID(id) {
		return "", nil, false
	}
	return id, sealed[2+n:], true
}

// check refuses a place that says too little to bind a value to it.
func (p Place) check() error {
	if p.Purpose == "" || p.Table == "" || p.Column == "" || p.Row == "" {
		return errors.New("a sealed value needs a purpose, a table, a column and a row")
	}
	return nil
}

// bound is what is authenticated with a value.
func (p Place) bound(keyID string) []byte {
	b := []byte{version}
	for _, s := range []string{keyID, p.Purpose, p.Table, p.Column, p.Tenant, p.Row} {
		b = appendField(b, s)
	}
	return b
}

// box is XChaCha20-Poly1305 under one key.
type box struct{ key []byte }

func (b box) seal(dst, nonce, plain, bound []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(b.key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(dst, nonce, plain, bound), nil
}

func (b box) open(dst, nonce, sealed, bound []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(b.key)
	if err != nil {
		return nil, err
	}
	return aead.Open(dst, nonce, sealed, bound)
}
