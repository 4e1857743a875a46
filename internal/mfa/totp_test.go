package mfa

import (
	"encoding/base32"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func b32(s string) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
}

// RFC 4226 appendix D.
func TestHOTPVectors(t *testing.T) {
	t.Parallel()
	for i, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := hotp([]byte("12345678901234567890"), uint64(i)); got != want {
			t.Errorf("counter %d: %s, want %s", i, got, want)
		}
	}
}

// RFC 6238 appendix B, SHA-1: the last six of its eight digits.
func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		now := time.Unix(at, 0)
		if got := hotp([]byte("12345678901234567890"), uint64(stepOf(now))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
		if stepMatching([]byte("12345678901234567890"), want, now) != stepOf(now) {
			t.Errorf("at %d the code does not match", at)
		}
	}
}

func TestACodeIsGoodOneStepToEitherSide(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	now := time.Date(2026, 11, 21, 12, 0, 10, 0, time.UTC)
	for steps, want := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code := hotp(secret, uint64(stepOf(now)+int64(steps)))
		if got := stepMatching(secret, code, now) != 0; got != want {
			t.Errorf("%d steps away: %v", steps, got)
		}
	}
}

func TestOathtoolShowsTheSameCodes(t *testing.T) {
	t.Parallel()
	if _, there := oathtool(t, "--version"); !there {
		if os.Getenv("PORTREEVE_PEERS") == "required" {
			t.Fatal("oathtool is missing; scripts/deps.sh installs it")
		}
		t.Skip("oathtool is not installed (make deps)")
	}
	for i := range 8 {
		secret := []byte(strings.Repeat(string(rune('a'+i)), secretSize))
		at := time.Unix(1_790_000_000+int64(i)*86_431, 0)
		want, _ := oathtool(t, "--totp", "-b", secretText(secret), "-N", "@"+fmt.Sprint(at.Unix()))
		if got := hotp(secret, uint64(stepOf(at))); got != want {
			t.Errorf("%d: %s, oathtool %s", i, got, want)
		}
	}
}

func TestWhatAppsAreTold(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(otpauthURL("Exämple & Co", "anna:x@example.com\n", "ABC"))
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Exämple & Co:annax@example.com" {
		t.Fatalf("%v %v", u, err)
	}
	q := u.Query()
	if q.Get("issuer") != "Exämple & Co" || q.Get("secret") != "ABC" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" || strings.Contains(u.String(), "+") {
		t.Errorf("%v", u)
	}
	long, err := qrOf(otpauthURL(strings.Repeat("ä", 500), strings.Repeat("語", 500), strings.Repeat("A", 32)))
	if err != nil || !strings.HasPrefix(long, "data:image/png;base64,") {
		t.Errorf("a long name: %v", err)
	}
}

func TestBackupCodesAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := newBackupCode()
		want, ok := foldBackup(code)
		if !ok || isTOTP(code) {
			t.Fatal(code)
		}
		if got, ok := foldBackup(strings.ToUpper(strings.ReplaceAll(code, "-", " "))); !ok || got != want {
			t.Fatalf("%s: %s", code, got)
		}
		if got, ok := foldBackup(strings.NewReplacer("0", "O", "1", "l").Replace(code)); !ok || got != want {
			t.Fatalf("%s: %s", code, got)
		}
		at := rapid.IntRange(0, len(code)-1).Draw(t, "at")
		if cut, ok := foldBackup(code[:at] + code[at+1:]); ok && code[at] != '-' {
			t.Fatalf("%s without %d is %s", code, at, cut)
		}
	})
	seen := map[byte]bool{}
	for range 400 {
		folded, _ := foldBackup(newBackupCode())
		for i := range len(folded) {
			seen[folded[i]] = true
		}
	}
	if len(seen) != 32 {
		t.Errorf("codes are made of %d letters: fewer bits than said", len(seen))
	}
}
