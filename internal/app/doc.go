// Package app is the only one that knows all the others: it reads the
// configuration file (File), builds a Snapshot from it, and runs it.
//
// It owns the shape of the file, inheritance from the top level to sites, the
// rules about environments and secrets, generations and reload, and what the
// commands check, explain and token do. It must not know how a request is read
// or decided: that is server's and gateway's.
//
// Flow: Load (read, resolve, decode) → build (check, compile; may fail) → swap
// (one atomic store; cannot fail) → settle (start what is new, retire what is
// gone).
package app
