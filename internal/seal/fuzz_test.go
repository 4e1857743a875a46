package seal

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// FuzzOpen: whatever stands in a column, nothing opens but what was sealed.
func FuzzOpen(f *testing.F) {
	k := keys(f, Key{"k1", keyOf("one")}, Key{"k2", keyOf("two")})
	real, err := hex.DecodeString(firstRelease) // one for all processes of a fuzzing run
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	f.Add(real[:len(real)-1])
	f.Add([]byte{})
	f.Add([]byte{version, 2, 'k', '1'})
	f.Add(append([]byte{version, 200}, real[2:]...))
	f.Add(append([]byte{version, 0}, real[4:]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := k.Open(place, b)
		if err == nil && !bytes.Equal(b, real) {
			t.Fatalf("%x opens as %q", b, plain)
		}
		if id := k.KeyID(b); id != "" && !ValidID(id) {
			t.Fatalf("names the key %q", id)
		}
	})
}
