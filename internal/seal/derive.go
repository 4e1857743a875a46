package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// The labels that keep the uses of a master key apart. They are part of the
// form of what is stored: never change one, add another.
const (
	labelSeal   = "portreeve seal v1"
	labelDerive = "portreeve derive v1"
	labelID     = "portreeve key id v1"
)

// Derive makes 32 bytes of a master key for one purpose, for HMAC and Ed25519
// seeds. An empty keyID means the first key. They are never the bytes that a
// column of the same purpose is sealed with.
func (k *Keys) Derive(purpose, keyID string) ([]byte, error) {
	if purpose == "" {
		return nil, fmt.Errorf("derive a key: no purpose given")
	}
	raw, _, err := k.find(keyID)
	if err != nil {
		return nil, err
	}
	return expand(raw, labelDerive, purpose), nil
}

// find returns a key and its id; an empty id means the first.
func (k *Keys) find(id string) ([]byte, string, error) {
	if k == nil {
		return nil, "", noKey("there is no master key; portreeve masterkey new makes one")
	}
	if id == "" {
		id = k.first
	}
	raw := k.byID[id]
	if raw == nil {
		return nil, "", noKey(fmt.Sprintf("master key %q is not listed", id))
	}
	return raw[:], id, nil
}

// expand is HKDF without salt: a master key is uniform, and a salt would have to
// be kept beside it.
func expand(raw []byte, label, purpose string) []byte {
	info := appendField(nil, label)
	info = appendField(info, purpose)
	return derive(raw, nil, string(info), keySize)
}

func derive(raw, salt []byte, info string, size int) []byte {
	out, err := hkdf.Key(sha256.New, raw, salt, info, size)
	if err != nil { // more than 255 blocks, or FIPS mode and a short key: neither is possible for ours
		panic("seal: " + err.Error())
	}
	return out
}

// appendField adds a text with its length before it: texts that follow each
// other cannot lend each other their ends.
func appendField(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}
