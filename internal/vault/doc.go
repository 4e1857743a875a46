// Package vault holds a store to its master keys: it knows whether a key is one
// of the store's, and seals columns anew when the first key changes.
//
// It does not know which columns are sealed: features say so (Column), and app
// hands the list over.
package vault
