// Package escrow keeps secrets that it cannot read: machines seal them to their
// tenant's public key, and only a browser (or the command line) that knows the
// tenant's passphrase opens them.
//
// It owns machines, their runs and configurations, public keys, wrapped private
// keys and sealed secrets. It must not know how anything is opened: no passphrase,
// private key or plaintext ever comes here, and package envelope refuses what
// looks like one. docs/escrow-formats.md says what everything looks like.
//
// # Two sides
//
// The machine side takes machine tokens. Whatever a machine sends adds a row or
// finds the one that it added before; it changes and removes nothing. A machine is
// known by id, else serial, else hostname; the first that is found counts, but a
// hostname finds no machine of another serial.
//
// The portal side takes people: a users row, and what the roles of that row hold.
// What a token claims does not count here. Roles are read in the transaction that
// uses them. API keys are nobody here.
//
// # Keys
//
// A key comes with proof that somebody has its private half (the challenge), with
// a signature by the tenant's signing key, and, where it takes the place of
// another, with an authorization by that one's signing key: who holds the store
// can put a key in, but none that a pinning machine would take. Old keys stay,
// for what was sealed to them. Old wrappings stay a while, in case the new
// passphrase is lost; wrong ones are removed by who proves the key.
//
// # Before an answer
//
// The audit event of a reveal, and of handing out wrappings, is committed before
// the answer is made; without it there is none.
package escrow
