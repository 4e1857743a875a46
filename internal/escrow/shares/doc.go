// Package shares splits a recovery key into shares of which some restore it
// (Shamir, "How to share a secret", 1979), and writes each as a text that people
// print, keep apart and type in again. docs/escrow-formats.md describes the text.
//
// The field is that of AES, GF(2^8) modulo x^8+x^4+x^3+x+1, and each byte of the
// key has a polynomial of its own, as in Vault's package: what that one splits
// restores here, and the other way round. It is not used itself, since its module
// brings six hundred others along; its outputs are among the vectors.
//
// Fewer than k shares say nothing of the key. A share is not authentic, and its
// checksum is there for typing errors alone: that the right key was restored is
// shown by the recovery copy that it opens.
//
// It does no I/O.
package shares
