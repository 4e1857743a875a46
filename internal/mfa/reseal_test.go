package mfa

import (
	"testing"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/vault"
)

// A master key is changed: factors, backup codes and codes still to be shown go
// on, under the new key alone.
func TestFactorsOutliveAMasterKey(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		anna := r.anna()
		totp, codes := r.enrolled(t, anna)
		fresh := seal.Key{ID: "k2", Secret: secret.New(seal.NewKey())}
		both, err := seal.New([]seal.Key{fresh, {ID: "test", Secret: secret.New("cG9ydHJlZXZlIHBvcnRyZWV2ZSBwb3J0cmVldmUgISE=")}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vault.Reseal(t.Context(), r.db, both, Sealed(), 2); err != nil {
			t.Fatal(err)
		}
		if r.d.Keys, err = seal.New([]seal.Key{fresh}); err != nil {
			t.Fatal(err)
		}
		if a := call(t, r.Service, anna, "GET", "/mfa/backup-codes", "").is(t, 200, ""); len(a.json(t)) != 2 {
			t.Errorf("%s", a.body)
		}
		call(t, r.Service, anna, "POST", "/mfa/verify", `{"code":"`+codes[0]+`"}`).is(t, 200, "")
		r.token(t, anna, totp)
	})
}
