package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/store"
)

// ErrKeys is what Check fails with when the keys are not those of the store.
var ErrKeys = fault.New(fault.Internal, "master_key_refused", "")

func refuse(format string, args ...any) error {
	return fault.Wrap(ErrKeys.Kind, ErrKeys.Code, "", fmt.Errorf(format, args...))
}

// A check value is a known text, sealed under a key and kept in meta under the
// key's id: whether a key is the store's is known without a sealed row.
const (
	checkName = "masterkey."
	checkText = "portreeve master key"
)

func checkPlace(id string) seal.Place {
	return seal.Place{Purpose: "check", Table: "meta", Column: "value", Row: checkName + id}
}

// Check holds the store to its keys, at every start. A store without sealed
// values takes any keys and remembers them; from then on it refuses to go on
// without a key that something is sealed under, and with another key of the
// same id. A further key is taken only beside one that the store knows.
// Columns are all that are sealed.
func Check(ctx context.Context, db *store.DB, keys *seal.Keys, columns ...Column) error {
	return db.Tx(ctx, func(tx *store.Tx) error {
		// Processes that start at once take turns: a new store takes the keys of one.
		if _, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, "masterkeys", ""); err != nil {
			return err
		}
		checks, err := checkValues(tx)
		if err != nil {
			return err
		}
		if keys == nil {
			return needsNone(tx, checks, columns)
		}
		known, err := verified(tx, keys, checks, columns)
		if err != nil {
			return err
		}
		for id := range checks {
			if keys.Has(id) {
				continue
			}
			if c, err := sealedUnder(tx, id, columns); err != nil {
				return err
			} else if c != nil {
				return refuse("values of %s are sealed under the master key %q, which is not listed: "+
					"list it in masterKeys after the new one and run portreeve masterkey rotate", c, id)
			}
		}
		if !known && len(checks) > 0 {
			return refuse("none of the listed master keys is one of this store's, which are %s: "+
				"list one of them in masterKeys, the new one first, and run portreeve masterkey rotate", quoted(checks))
		}
		return remember(tx, keys, checks)
	})
}

// checkValues are the sealed check values by key id.
func checkValues(tx *store.Tx) (map[string][]byte, error) {
	rows, err := tx.Rows(`SELECT name, value FROM meta WHERE name LIKE $1 ORDER BY name`, checkName+"%")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		id := strings.TrimPrefix(name, checkName)
		sealed, err := base64.StdEncoding.DecodeString(value)
		if err != nil || !seal.ValidID(id) {
			return nil, refuse("the check value %q in the table meta was changed", name)
		}
		out[id] = sealed
	}
	return out, rows.Err()
}

// needsNone reports that a store goes on without a key, which it does only
// while nothing is sealed.
func needsNone(tx *store.Tx, checks map[string][]byte, columns []Column) error {
	const then = "set masterKey or masterKeys to the key that this store was made with (portreeve masterkey new makes keys for new stores only)"
	if len(checks) > 0 {
		return refuse("the store was made with the master key %s, and there is none: %s", quoted(checks), then)
	}
	for _, c := range columns {
		if _, sealed, err := sample(tx, c); err != nil {
			return err
		} else if sealed != nil {
			return refuse("values of %s are sealed, and there is no master key: %s", c, then)
		}
	}
	return nil
}

// verified reports whether one of the keys is the store's, and refuses a key
// that stands under the id of another.
func verified(tx *store.Tx, keys *seal.Keys, checks map[string][]byte, columns []Column) (known bool, err error) {
	for _, id := range keys.IDs() {
		sealed, there := checks[id]
		if !there {
			continue
		}
		plain, err := keys.Open(checkPlace(id), sealed)
		if err != nil || string(plain) != checkText {
			return false, refuse("the master key %q is not the one that this store was made with: put the right one back; to change keys, list both in masterKeys, "+
				"the new one first and under another id (portreeve masterkey new makes one), and run portreeve masterkey rotate", id)
		}
		known = true
	}
	if len(checks) > 0 {
		return known, nil
	}
	// No check value: a new store, or one whose meta was lost. The values
	// themselves say which.
	for _, c := range columns {
		key, sealed, err := sample(tx, c)
		if err != nil {
			return false, err
		}
		if sealed == nil {
			continue
		}
		if _, err := keys.Open(c.place(key), sealed); errors.Is(err, seal.ErrNoKey) {
			return false, refuse("values of %s are sealed under the master key %q, which is not listed: set masterKey or masterKeys to it", c, keys.KeyID(sealed))
		} else if err != nil {
			return false, refuse("the master key %q does not open the values of %s: put the right one back into masterKey or masterKeys", keys.KeyID(sealed), c)
		}
	}
	return true, nil
}

// sample is one sealed value of a column and the key of its row, nil if there is none.
func sample(tx *store.Tx, c Column) (key []any, sealed []byte, err error) {
	key, into := targets(len(c.key()))
	err = tx.Row(fmt.Sprintf(`SELECT %s, %s FROM %s WHERE %s LIMIT 1`, strings.Join(c.key(), ", "), c.Column, c.Table, c.there())).Scan(append(into, &sealed)...)
	if errors.Is(err, store.ErrNone) {
		return nil, nil, nil
	}
	return key, sealed, err
}

// targets are n values and where to scan them to.
func targets(n int) (values, into []any) {
	values = make([]any, n)
	for i := range values {
		into = append(into, &values[i])
	}
	return values, into
}

// sealedUnder returns a column that has values sealed under the key, or nil.
func sealedUnder(tx *store.Tx, id string, columns []Column) (*Column, error) {
	for _, c := range columns {
		var one int64
		err := tx.Row(fmt.Sprintf(`SELECT 1 FROM %s WHERE %s AND %s LIMIT 1`, c.Table, c.there(), c.starts(1)), startArgs(id)...).Scan(&one)
		if err == nil {
			return &c, nil
		}
		if !errors.Is(err, store.ErrNone) {
			return nil, err
		}
	}
	return nil, nil
}

// remember writes the check values that are missing.
func remember(tx *store.Tx, keys *seal.Keys, checks map[string][]byte) error {
	for _, id := range keys.IDs() {
		if checks[id] != nil {
			continue
		}
		sealed, err := keys.SealUnder(id, checkPlace(id), []byte(checkText))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
			checkName+id, base64.StdEncoding.EncodeToString(sealed)); err != nil {
			return err
		}
	}
	return nil
}

func quoted(checks map[string][]byte) string {
	var ids []string
	for id := range checks {
		ids = append(ids, fmt.Sprintf("%q", id))
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}
