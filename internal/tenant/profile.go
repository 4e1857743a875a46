package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
)

// mostMetadata bounds each kind of metadata of a user, as JSON: Auth0's bound.
const mostMetadata = 16 << 10

// ErrMetadata is metadata that is too much.
var ErrMetadata = fault.New(fault.BadRequest, "metadata_too_large", fmt.Sprintf("The metadata of a user is at most %d bytes", mostMetadata))

// Profile is what scripts of a login know of a user, and write.
type Profile struct {
	App, User map[string]json.RawMessage
	Logins    int64
	// Seen says that scripts have run for the user before.
	Seen bool
}

// ProfileOf reads a user's; ErrNoUser where the tenant has none of this id.
func ProfileOf(tx *store.Tx, tenant, id string) (Profile, error) {
	return scanProfile(tx.Row(`SELECT app_metadata, user_metadata, logins_count FROM users WHERE tenant_id = $1 AND id = $2`, tenant, id))
}

// CountLogin counts a login of a user, this one included: of many at once each has a
// number of its own. by is 0 where somebody is only looked up, in their turn.
func CountLogin(tx *store.Tx, tenant, id string, by int64) (Profile, error) {
	return scanProfile(tx.Row(`UPDATE users SET logins_count = logins_count + $1 WHERE tenant_id = $2 AND id = $3
		RETURNING app_metadata, user_metadata, logins_count`, by, tenant, id))
}

func scanProfile(row store.Row) (p Profile, err error) {
	var app, user string
	err = row.Scan(&app, &user, &p.Logins)
	if errors.Is(err, store.ErrNone) {
		return p, ErrNoUser
	}
	p.Seen = app != ""
	for _, m := range []struct {
		text string
		into *map[string]json.RawMessage
	}{{app, &p.App}, {user, &p.User}} {
		if *m.into = map[string]json.RawMessage{}; err == nil && m.text != "" {
			err = json.Unmarshal([]byte(m.text), m.into)
		}
	}
	return p, err
}

// PatchProfile sets members of a user's metadata; null removes one. From then on the
// user is Seen.
func PatchProfile(tx *store.Tx, tenant, id string, app, user map[string]json.RawMessage) error {
	p, err := CountLogin(tx, tenant, id, 0) // in the row's turn
	if err != nil {
		return err
	}
	now, err := patched(p.App, app)
	if err != nil {
		return err
	}
	users, err := patched(p.User, user)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE users SET app_metadata = $1, user_metadata = $2 WHERE tenant_id = $3 AND id = $4`, now, users, tenant, id)
	return err
}

func patched(was, with map[string]json.RawMessage) (string, error) {
	out := maps.Clone(was)
	for name, v := range with {
		if string(v) == "null" {
			delete(out, name)
		} else {
			out[name] = v
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return "", err
	}
	if len(raw) > mostMetadata {
		return "", ErrMetadata
	}
	return string(raw), nil
}

// Recognize finds the user of a tenant who is bound to an identity; email, where it
// is verified, finds one that is nobody's yet, which is bound then. ErrNoUser where
// there is neither, ErrIdentityConflict where the address is another identity's.
// made says that something was written. The caller has the tenant's turn.
func (s *Service) Recognize(tx *store.Tx, by By, tenant string, b Binding, email string) (u User, made bool, err error) {
	u, err = UserByBinding(tx, tenant, b)
	if !errors.Is(err, ErrNoUser) || email == "" {
		return u, false, err
	}
	if u, err = UserByEmail(tx, tenant, email); err != nil {
		return u, false, err
	}
	if !u.Bound.IsZero() {
		return User{}, false, ErrIdentityConflict
	}
	ok, err := bindUser(tx, u, b)
	if err != nil || !ok {
		return User{}, false, errors.Join(err, ErrIdentityConflict)
	}
	u.Bound = b
	noteUser(tx, u)
	e := by.userEvent(u, "user.bound")
	e.Detail = map[string]string{"provider": b.Provider}
	return u, true, s.d.Audit.Append(tx, e)
}

// Profiles is what an export of a tenant has of them.
type Profiles struct{}

// Export implements Part.
func (Profiles) Export(tx *store.Tx, tenant string) (name string, value any, err error) {
	type view struct {
		UserID       string                     `json:"userId"`
		AppMetadata  map[string]json.RawMessage `json:"appMetadata"`
		UserMetadata map[string]json.RawMessage `json:"userMetadata"`
		Logins       int64                      `json:"logins"`
	}
	list, err := store.List(tx, func(row store.Row) (v view, err error) {
		var p Profile
		p, err = scanProfile(withID{row, &v.UserID})
		v.AppMetadata, v.UserMetadata, v.Logins = p.App, p.User, p.Logins
		return v, err
	}, `SELECT id, app_metadata, user_metadata, logins_count FROM users WHERE tenant_id = $1 AND app_metadata <> '' ORDER BY id`, tenant)
	if list == nil {
		list = []view{}
	}
	return "logins", list, err
}

// withID is a row whose first column is an id.
type withID struct {
	store.Row
	id *string
}

func (w withID) Scan(into ...any) error { return w.Row.Scan(append([]any{w.id}, into...)...) }
