package edge

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"sync/atomic"
	"testing"
)

// few keys are made in a process, in turn those of its stand-ins: to make one takes
// longer than many a test. A world of one or two stand-ins has no two alike.
const few = 4

var keys = func() (out [few]func() (*rsa.PrivateKey, error)) {
	for i := range out {
		out[i] = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	}
	return out
}()

// Keys gives keys for the stand-ins of one world.
func Keys(t testing.TB) func() *rsa.PrivateKey {
	var n atomic.Int64
	return func() *rsa.PrivateKey {
		k, err := keys[int(n.Add(1)-1)%few]()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
}
