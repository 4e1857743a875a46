package tenant

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// NewUser is a user to be added. It is known by one of an e-mail, a service
// token and a binding.
type NewUser struct {
	ID           string // kept from elsewhere; made unless written
	Email        string
	ServiceToken string
	Bound        Binding
	Name         string
	Roles        []string
	Disabled     bool
	CreatedAt    time.Time // now unless written
}

// AddUser adds a user to a tenant. Roles ask the actor's Grants.
func (s *Service) AddUser(ctx context.Context, by By, tenant string, n NewUser) (u User, err error) {
	err = s.write(ctx, tenant, func(tx *store.Tx) error { u, err = s.AddUserIn(tx, by, tenant, n); return err })
	return u, err
}

// AddUserIn is AddUser within a transaction.
func (s *Service) AddUserIn(tx *store.Tx, by By, tenant string, n NewUser) (User, error) {
	now := tx.Now().UTC()
	u := User{Tenant: tenant, ID: n.ID, Email: n.Email, ServiceToken: n.ServiceToken, Name: n.Name, Bound: n.Bound,
		Disabled: n.Disabled, Roles: distinct(n.Roles), ByHost: by.Host, CreatedAt: n.CreatedAt, UpdatedAt: now}
	if u.ID == "" {
		u.ID = newUserID()
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = now
	}
	u.KnownSince = u.CreatedAt
	if !u.Bound.IsZero() {
		u.BoundAt = now
	}
	if err := checkUser(u); err != nil {
		return User{}, err
	}
	if err := s.free(tx, User{}, u); err != nil {
		return User{}, err
	}
	if len(u.Roles) > 0 {
		if err := by.grant(tx, tenant, nil, u.Roles); err != nil {
			return User{}, err
		}
	}
	if err := insertUser(tx, u); err != nil {
		return User{}, err
	}
	noteUser(tx, u)
	if err := s.d.Audit.Append(tx, by.userEvent(u, "user.created")); err != nil {
		return User{}, err
	}
	return u, s.writeRoles(tx, by, u, nil)
}

// User reads a user of a tenant.
func (s *Service) User(ctx context.Context, tenant, id string) (u User, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { u, err = UserByID(tx, tenant, id); return err })
	return u, err
}

// FindUser reads a user of a tenant by what people call it: its id, else its
// e-mail, else its service token.
func (s *Service) FindUser(ctx context.Context, tenant, ref string) (u User, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error { u, err = FindUserIn(tx, tenant, ref); return err })
	return u, err
}

// FindUserIn is FindUser within a transaction.
func FindUserIn(tx *store.Tx, tenant, ref string) (User, error) {
	u, err := UserByID(tx, tenant, ref)
	if errors.Is(err, ErrNoUser) {
		u, err = UserByEmail(tx, tenant, ref)
	}
	if errors.Is(err, ErrNoUser) {
		u, err = UserByServiceToken(tx, tenant, ref)
	}
	return u, err
}

// Users lists the users of a tenant, the oldest first.
func (s *Service) Users(ctx context.Context, tenant string, p input.Page) (list []User, total int, err error) {
	return s.UsersWanted(ctx, tenant, Wanted{}, p)
}

// UsersWanted is Users with those alone that are wanted.
func (s *Service) UsersWanted(ctx context.Context, tenant string, w Wanted, p input.Page) (list []User, total int, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		if _, err := Get(tx, tenant); err != nil {
			return err
		}
		list, total, err = listUsers(tx, tenant, w, p.Limit, p.Offset)
		return err
	})
	return list, total, err
}

// DeleteUser removes a user with its roles. Its id is not given again. Keys that
// it made hold nothing from then on.
func (s *Service) DeleteUser(ctx context.Context, by By, tenant, id string) error {
	return s.write(ctx, tenant, func(tx *store.Tx) error {
		u, err := UserByID(tx, tenant, id)
		if err == nil {
			err = by.If.Is(View(u).tag())
		}
		if err != nil {
			return err
		}
		if err := deleteUser(tx, u); err != nil {
			return err
		}
		noteUser(tx, u)
		if err := s.shut(tx, by, u); err != nil {
			return err
		}
		return s.d.Audit.Append(tx, by.userEvent(u, "user.deleted"))
	})
}

// BoundUserIn finds the user of a tenant that is bound to an identity, or makes
// one that is bound to it alone.
func (s *Service) BoundUserIn(tx *store.Tx, by By, tenant string, b Binding) (u User, made bool, err error) {
	u, err = UserByBinding(tx, tenant, b)
	if !errors.Is(err, ErrNoUser) {
		return u, false, err
	}
	u, err = s.AddUserIn(tx, by, tenant, NewUser{Bound: b})
	return u, true, err
}

// checkUser says what is wrong with a row.
func checkUser(u User) error {
	var f input.Fields
	if !visible(u.ID, 128) {
		f.Add("id", "must be 1 to 128 visible characters")
	}
	if u.Email != "" {
		if _, _, ok := principal.FoldEmail(u.Email); !ok || !plainText(u.Email, 254) {
			f.Add("email", "must be an e-mail address")
		}
	}
	if u.ServiceToken != "" && !visible(u.ServiceToken, 255) {
		f.Add("serviceToken", "must be 1 to 255 visible characters: the client id of an Access service token")
	}
	if u.Email != "" && u.ServiceToken != "" {
		f.Add("serviceToken", "stands instead of an e-mail, not beside it")
	}
	if u.Email == "" && u.ServiceToken == "" && u.Bound.IsZero() {
		f.Add("email", "is required, or a serviceToken instead")
	}
	if !plainText(u.Name, 200) {
		f.Add("name", "must be one line of at most 200 characters")
	}
	b := u.Bound
	if !b.IsZero() && (b.Provider == "" || b.Subject == "" || !storable(b.Provider) || !storable(b.Issuer) || !storable(b.Subject)) {
		f.Add("subject", "must be a provider's subject of at most 512 characters")
	}
	if len(u.Roles) > 100 {
		f.Add("roles", "must be at most 100")
	}
	return f.Err()
}

// free refuses a row that another one of the tenant stands in the way of. The
// tenant's turn makes what it finds last; unique indexes stand behind it.
func (s *Service) free(tx *store.Tx, was, u User) error {
	if u.ID != was.ID {
		_, err := UserByID(tx, u.Tenant, u.ID)
		gone, errGone := isGone(tx, u.Tenant, u.ID)
		if err == nil || gone {
			return ErrIDTaken
		}
		if !errors.Is(err, ErrNoUser) || errGone != nil {
			return errors.Join(err, errGone)
		}
	}
	for _, c := range []struct {
		look  bool
		find  func() (User, error)
		taken error
	}{
		{u.Email != "", func() (User, error) { return UserByEmail(tx, u.Tenant, u.Email) }, ErrEmailTaken},
		{u.ServiceToken != "", func() (User, error) { return UserByServiceToken(tx, u.Tenant, u.ServiceToken) }, ErrServiceTaken},
		{!u.Bound.IsZero(), func() (User, error) { return UserByBinding(tx, u.Tenant, u.Bound) }, ErrBoundTaken},
	} {
		if !c.look {
			continue
		}
		other, err := c.find()
		if err == nil && other.ID != was.ID {
			return c.taken
		}
		if err != nil && !errors.Is(err, ErrNoUser) {
			return err
		}
	}
	return nil
}

// distinct is a list sorted, each once; never nil.
func distinct(list []string) []string {
	out := append([]string{}, list...)
	slices.Sort(out)
	return slices.Compact(out)
}
