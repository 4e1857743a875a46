// Package ends is what the two ends of secret escrow do and the server never
// does: machines seal secrets to their tenant's public key (Seal), and who knows
// the passphrase, or has enough shares, opens them (Unwrap, Restore, Key.Open).
// `portreeve escrow` is its one user; the browser's side of the same formats is
// internal/escrow/web. docs/escrow-formats.md describes them.
//
// Everything is read by package envelope first, which refuses whatever is not
// exactly the format before anything is derived or decrypted. What a server says
// beside an envelope is held against what is inside it: the header of a secret
// against the machine that it is listed under, the thumbprint of an opened key
// against its kid, the statements of signing keys against a pin (Trust).
//
// It does no I/O, and keeps nothing.
package ends
