package mfa

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's standard hash; collisions do not matter to HMAC
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
)

const (
	secretSize = 20 // bytes: as long as the hash (RFC 4226 section 4, R6)
	digits     = 6
	period     = 30 * time.Second
	skew       = 1 // steps to either side
)

// hotp is RFC 4226's function with six digits.
func hotp(secret []byte, counter uint64) string {
	var c [8]byte
	binary.BigEndian.PutUint64(c[:], counter)
	mac := hmac.New(sha1.New, secret)
	mac.Write(c[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, n%1_000_000)
}

// stepOf is the number of the time step (RFC 6238 section 4.2).
func stepOf(t time.Time) int64 { return t.Unix() / int64(period/time.Second) }

// stepMatching is the latest step around now of which code is the code; 0 where
// there is none. It takes as long for each.
func stepMatching(secret []byte, code string, now time.Time) int64 {
	found, at := int64(0), stepOf(now)
	for step := at - skew; step <= at+skew; step++ {
		if step > 0 && subtle.ConstantTimeCompare([]byte(hotp(secret, uint64(step))), []byte(code)) == 1 {
			found = step
		}
	}
	return found
}

// isTOTP reports whether a code has the form of one.
func isTOTP(code string) bool {
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return false
		}
	}
	return len(code) == digits
}

// secretText is a secret as authenticator apps take it.
func secretText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}
