package standin

import "testing"

// RFC 6238 appendix B, SHA-1, cut to six digits.
func TestThePhonesCodes(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got := totp([]byte("12345678901234567890"), at/step); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}
