// Package audittest makes audit logs for tests.
package audittest

import (
	"testing"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/store"
)

// Keys are master keys for a test.
func Keys(t testing.TB) *seal.Keys {
	t.Helper()
	k, err := seal.New([]seal.Key{{ID: "test", Secret: secret.New("cG9ydHJlZXZlIHBvcnRyZWV2ZSBwb3J0cmVldmUgISE=")}})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// New makes a Log on a store.
func New(t testing.TB, db *store.DB) *audit.Log {
	t.Helper()
	l, err := audit.New(Keys(t), audit.Options{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
