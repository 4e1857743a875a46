package envelope

import (
	"crypto/rand"
	"testing"
)

// What is opened for a server is a challenge, and nothing that it has otherwise.
func TestOnlyChallengesAreAnswered(t *testing.T) {
	t.Parallel()
	const kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
	c := NewChallenge(kid)
	if !IsChallenge(c, kid) || IsChallenge(c, kid[1:]+"x") || IsChallenge(c[:31], kid) || IsChallenge(append(c[:32:32], 0), kid) || IsChallenge(nil, kid) {
		t.Errorf("%x", c)
	}
	for i := range c {
		bent := append([]byte{}, c...)
		bent[i] ^= 1
		if IsChallenge(bent, kid) {
			t.Errorf("byte %d does not count", i)
		}
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	if IsChallenge(key, kid) {
		t.Error("a content key is taken for a challenge")
	}
}
