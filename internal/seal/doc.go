// Package seal keeps stored columns unreadable without a master key.
//
// It owns the master keys, what is derived from them and the form of a sealed
// value. It does not know the store: internal/vault checks the keys of a store
// and reseals its columns.
//
// A master key never encrypts anything itself. HKDF-SHA256 (RFC 5869) makes a
// key of it for each purpose, and for what is derived (HMAC keys, Ed25519 seeds)
// under another label, so that one use can never be turned into another. A
// value is sealed by XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): its nonces
// are long enough to be drawn at random for as many rows as a store can hold,
// which those of AES-GCM are not. The place where a value stands (table, column,
// tenant, row) and the id of its key are authenticated with it, each with its
// length before it: whoever can write to the store cannot move a sealed value
// to another row, or make one of an older key pass for one of another.
//
// The form is: version (1), length of the key id, key id, nonce (24), ciphertext
// with its tag.
package seal
