package apikey

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/store"
)

const keyColumns = `id, machine, prefix, name, scopes, env, allowed_ips, rate_limit, expires_at, disabled, revoked_at, created_at, updated_at,
	creator_kind, creator_user_id, creator_provider, creator_issuer, creator_subject, creator_roles, parent_key_id, last_used_at, uses`

// millis is a time as it is stored; zero is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// scanKey reads keyColumns. What does not read refuses: a key whose list of
// addresses is broken is not one that may be used from everywhere.
func scanKey(tenantID string) func(store.Row) (Key, error) {
	return func(row store.Row) (Key, error) {
		k := Key{Tenant: tenantID}
		var scopes, ips, rate, roles string
		var machine, disabled, expires, revoked, created, updated, used int64
		c := &k.Creator
		err := row.Scan(&k.ID, &machine, &k.Prefix, &k.Name, &scopes, &k.Env, &ips, &rate, &expires, &disabled, &revoked, &created, &updated,
			&c.Kind, &c.UserID, &c.Bound.Provider, &c.Bound.Issuer, &c.Bound.Subject, &roles, &k.Parent, &used, &k.Uses)
		if err != nil {
			return Key{}, err
		}
		k.Machine, k.Disabled = machine != 0, disabled != 0
		k.ExpiresAt, k.RevokedAt, k.CreatedAt, k.UpdatedAt, k.LastUsedAt = moment(expires), moment(revoked), moment(created), moment(updated), moment(used)
		if err := errors.Join(json.Unmarshal([]byte(scopes), &k.Scopes), json.Unmarshal([]byte(ips), &k.AllowedIPs), json.Unmarshal([]byte(roles), &c.Roles)); err != nil {
			return Key{}, fmt.Errorf("read key %s: %w", k.ID, err)
		}
		if rate != "" {
			k.Limit = &limit.RuleConfig{}
			if err := json.Unmarshal([]byte(rate), k.Limit); err != nil {
				return Key{}, fmt.Errorf("read key %s: %w", k.ID, err)
			}
		}
		return k, nil
	}
}

// selectKey reads a key, revoked or not. ErrNoKey where the tenant has none of
// this id.
func selectKey(tx *store.Tx, tenantID, id string) (Key, error) {
	k, err := scanKey(tenantID)(tx.Row(`SELECT `+keyColumns+` FROM api_keys WHERE tenant_id = $1 AND id = $2`, tenantID, id))
	if errors.Is(err, store.ErrNone) {
		return Key{}, ErrNoKey
	}
	return k, err
}

// selectKept is selectKey for a key that is not revoked.
func selectKept(tx *store.Tx, tenantID, id string) (Key, error) {
	k, err := selectKey(tx, tenantID, id)
	if err == nil && !k.RevokedAt.IsZero() {
		return Key{}, ErrNoKey
	}
	return k, err
}

// written are a key's columns that a change may touch, as texts.
type written struct{ scopes, ips, rate, roles string }

func writtenOf(k Key) (written, error) {
	if k.Scopes == nil {
		k.Scopes = []string{}
	}
	if k.AllowedIPs == nil {
		k.AllowedIPs = []netip.Prefix{}
	}
	if k.Creator.Roles == nil {
		k.Creator.Roles = []string{}
	}
	scopes, err1 := json.Marshal(k.Scopes)
	ips, err2 := json.Marshal(k.AllowedIPs)
	roles, err3 := json.Marshal(k.Creator.Roles)
	w := written{scopes: string(scopes), ips: string(ips), roles: string(roles)}
	var err4 error
	if k.Limit != nil {
		var rate []byte
		rate, err4 = json.Marshal(k.Limit)
		w.rate = string(rate)
	}
	return w, errors.Join(err1, err2, err3, err4)
}

func insertKey(tx *store.Tx, k Key) error {
	w, err := writtenOf(k)
	if err != nil {
		return err
	}
	c := k.Creator
	n, err := tx.Exec(`INSERT INTO api_keys (tenant_id, `+keyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		ON CONFLICT DO NOTHING`,
		k.Tenant, k.ID, k.Machine, k.Prefix, k.Name, w.scopes, k.Env, w.ips, w.rate, millis(k.ExpiresAt), k.Disabled, millis(k.RevokedAt),
		millis(k.CreatedAt), millis(k.UpdatedAt), c.Kind, c.UserID, c.Bound.Provider, c.Bound.Issuer, c.Bound.Subject, w.roles, k.Parent,
		millis(k.LastUsedAt), k.Uses)
	if err == nil && n == 0 {
		return ErrIDTaken
	}
	return err
}

func updateKey(tx *store.Tx, k Key) error {
	w, err := writtenOf(k)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE api_keys SET prefix = $3, name = $4, scopes = $5, allowed_ips = $6, rate_limit = $7, expires_at = $8, disabled = $9,
		revoked_at = $10, updated_at = $11, creator_roles = $12 WHERE tenant_id = $1 AND id = $2`,
		k.Tenant, k.ID, k.Prefix, k.Name, w.scopes, w.ips, w.rate, millis(k.ExpiresAt), k.Disabled,
		millis(k.RevokedAt), millis(k.UpdatedAt), w.roles)
	return err
}

// which are the keys that a list is of.
type which struct {
	revoked bool                 // those that were revoked instead of the others
	machine input.Optional[bool] // machine tokens alone, or none of them
	state   string               // active, disabled, expired or revoked; "": any but revoked
	like    string               // a pattern that name or prefix are like, or the id is; "": any
}

// where is the condition, whose parameters are the values. What it compares with
// is bounded by the tenant's keys; an index serves its first two.
func (w which) where(tenantID string, now time.Time) (text string, values []any) {
	text, values = ` FROM api_keys WHERE tenant_id = $1 AND revoked_at = 0`, []any{tenantID}
	if w.revoked || w.state == "revoked" {
		text = ` FROM api_keys WHERE tenant_id = $1 AND revoked_at > 0`
	}
	and := func(condition string, value any) {
		values = append(values, value)
		text += " AND " + strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(values)))
	}
	if w.machine.Set {
		and(`machine = ?`, w.machine.Value)
	}
	switch w.state {
	case "expired":
		and(`expires_at > 0 AND expires_at <= ?`, now.UnixMilli())
	case "active":
		and(`disabled = 0 AND (expires_at = 0 OR expires_at > ?)`, now.UnixMilli())
	case "disabled":
		and(`disabled = 1 AND (expires_at = 0 OR expires_at > ?)`, now.UnixMilli())
	}
	if w.like != "" {
		and(`(LOWER(name) LIKE ? ESCAPE '!' OR LOWER(prefix) LIKE ? ESCAPE '!' OR LOWER(id) LIKE ? ESCAPE '!')`, w.like)
	}
	return text, values
}

// listKeys reads a page, newest first, and says how many there are.
func listKeys(tx *store.Tx, tenantID string, w which, limit, offset int) (page []Key, total int, err error) {
	where, args := w.where(tenantID, tx.Now())
	var n int64
	if err = tx.Row(`SELECT COUNT(*)`+where, args...).Scan(&n); err != nil {
		return nil, 0, err
	}
	next := len(args) + 1
	page, err = store.List(tx, scanKey(tenantID), `SELECT `+keyColumns+where+` ORDER BY revoked_at DESC, created_at DESC, id DESC LIMIT $`+
		strconv.Itoa(next)+` OFFSET $`+strconv.Itoa(next+1), append(args, limit, offset)...)
	return page, int(n), err
}

// keysBelow lists the ids of the keys that a key made, and of those that they
// made, as far down as there can be any.
func keysBelow(tx *store.Tx, tenantID, id string) ([]string, error) {
	return store.List(tx, func(r store.Row) (s string, err error) { return s, r.Scan(&s) },
		`WITH RECURSIVE below (id, depth) AS (
			SELECT id, 1 FROM api_keys WHERE tenant_id = $1 AND parent_key_id = $2 AND parent_key_id <> ''
			UNION ALL
			SELECT k.id, b.depth + 1 FROM api_keys k JOIN below b ON k.parent_key_id = b.id
			WHERE k.tenant_id = $1 AND k.parent_key_id <> '' AND b.depth < $3
		) SELECT id FROM below`, tenantID, id, maxAbove)
}
