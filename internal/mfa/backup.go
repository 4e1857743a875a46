package mfa

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/portreeve/portreeve/internal/store"
)

const (
	backupCodes = 10
	backupSize  = 12 // characters of five bits each
	// backupLetters leaves out what is read for something else (Crockford's base 32).
	backupLetters = "0123456789abcdefghjkmnpqrstvwxyz"
)

// newBackupCode is a code of 60 random bits, as people write it down.
func newBackupCode() string {
	var b [backupSize]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = backupLetters[b[i]&31]
	}
	return string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:])
}

// foldBackup is a backup code as it is compared: whatever its case and its
// hyphens. ok is false where it is none.
func foldBackup(code string) (folded string, ok bool) {
	b := make([]byte, 0, backupSize)
	for _, r := range strings.ToLower(code) {
		switch r {
		case '-', ' ':
			continue
		case 'o':
			r = '0'
		case 'i', 'l':
			r = '1'
		}
		if r > 'z' || strings.IndexByte(backupLetters, byte(r)) < 0 || len(b) == backupSize {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), len(b) == backupSize
}

// hashBackup is what of a code is stored: without its key, which is sealed,
// nobody can try codes against it.
func hashBackup(key []byte, folded string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("backup code " + folded))
	return hex.EncodeToString(mac.Sum(nil))
}

// newCodes replaces a person's backup codes.
func (s *Service) newCodes(tx *store.Tx, p Person) ([]string, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	sealed, err := s.seal(p, "mfa_people", "code_key", key)
	if err != nil {
		return nil, err
	}
	if err := setCodeKey(tx, p, sealed); err != nil {
		return nil, err
	}
	if err := deleteCodes(tx, p); err != nil {
		return nil, err
	}
	codes := make([]string, backupCodes)
	for i := range codes {
		codes[i] = newBackupCode()
		folded, _ := foldBackup(codes[i])
		if err := insertCode(tx, p, hashBackup(key, folded)); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// useBackup spends a backup code and reports whether it was one. The caller has
// the person's turn.
func (s *Service) useBackup(tx *store.Tx, p Person, st *standing, code string) (bool, error) {
	folded, ok := foldBackup(code)
	if !ok || len(st.codeKey) == 0 {
		return false, nil
	}
	key, err := s.open(p, "mfa_people", "code_key", st.codeKey)
	if err != nil {
		return false, err
	}
	return spendCode(tx, p, hashBackup(key, folded), s.now())
}

// keepCodes seals codes for the one time that they are shown again.
func (s *Service) keepCodes(tx *store.Tx, p Person, codes []string) error {
	raw, err := json.Marshal(codes)
	if err != nil {
		return err
	}
	sealed, err := s.seal(p, "mfa_people", "codes", raw)
	if err != nil {
		return err
	}
	return setShown(tx, p, sealed, s.now().Add(showFor))
}
