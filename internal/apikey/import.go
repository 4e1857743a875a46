package apikey

import (
	"errors"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// Row is a machine token as the provisioning backend kept it: a row of its
// api_tokens.
type Row struct {
	ID        string // kept
	Prefix    string // token_prefix
	Salt      string // token_salt: as it stands, hex or not
	Hash      string // token_hash
	Label     string
	CreatedAt time.Time // zero: now
	ExpiresAt time.Time // zero: never
}

// ImportMachine takes a machine token over within a transaction of the caller,
// who has taken the tenant's turn. taken is false where its row is there
// already, whatever became of it here since. A key of the same id is ErrIDTaken.
func (s *Service) ImportMachine(tx *store.Tx, by By, tenantID string, r Row) (taken bool, err error) {
	if err := r.check(); err != nil {
		return false, err
	}
	switch was, err := selectKey(tx, tenantID, r.ID); {
	case err == nil && was.Machine:
		return false, nil
	case err == nil:
		return false, ErrIDTaken
	case !errors.Is(err, ErrNoKey):
		return false, err
	}
	now := tx.Now().UTC()
	if r.CreatedAt.IsZero() {
		r.CreatedAt = now
	}
	k := Key{
		Tenant: tenantID, ID: r.ID, Machine: true, Prefix: r.Prefix, Name: r.Label, Scopes: []string{machineScope},
		ExpiresAt: r.ExpiresAt.UTC(), CreatedAt: r.CreatedAt.UTC(), UpdatedAt: now, Creator: Creator{Kind: kindHost},
	}
	if err := insertKey(tx, k); err != nil {
		return false, err
	}
	if err := insertSecret(tx, k, token{format: formatToken, lookup: r.Prefix}, hashed{r.Salt, r.Hash}); err != nil {
		return false, err
	}
	detail := facts(k)
	detail["imported"] = "true"
	return true, s.note(tx, k, by.event("created", k, detail))
}

// check refuses what could never verify, or be shown.
func (r Row) check() error {
	var f input.Fields
	if r.ID == "" || len(r.ID) > 128 || !printable(r.ID) {
		f.Add("id", "must be 1 to 128 visible ASCII characters")
	}
	if len(r.Prefix) != tokenPrefix || r.Prefix[:len(tokenMark)] != tokenMark || !printable(r.Prefix) {
		f.Add("token_prefix", "must be the first 8 characters of a tok_ token")
	}
	if r.Salt == "" || len(r.Salt) > 128 || !printable(r.Salt) {
		f.Add("token_salt", "must be 1 to 128 visible ASCII characters")
	}
	if len(r.Hash) != 64 || !lowerHex(r.Hash) {
		f.Add("token_hash", "must be a SHA-256 in lower-case hexadecimal")
	}
	if len(r.Label) > 4*maxName {
		f.Add("label", nameRule)
	}
	return f.Err()
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
