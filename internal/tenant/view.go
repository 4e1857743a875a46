package tenant

import (
	"time"

	"github.com/portreeve/portreeve/internal/input"
)

// UserView is a user as callers see it.
type UserView struct {
	ID           string    `json:"id"`
	Email        string    `json:"email,omitempty"`
	ServiceToken string    `json:"serviceToken,omitempty"`
	Name         string    `json:"name,omitempty"`
	Role         string    `json:"role,omitempty"` // the first of roles: users of the older systems had one
	Roles        []string  `json:"roles"`
	Bound        *Bound    `json:"bound,omitempty"`
	Disabled     bool      `json:"disabled"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
}

// Bound is the identity that a user is bound to.
type Bound struct {
	Provider string    `json:"provider"`
	Issuer   string    `json:"issuer,omitempty"`
	Subject  string    `json:"subject"`
	At       time.Time `json:"at"`
}

// View is a user as callers see it.
func View(u User) UserView {
	v := UserView{ID: u.ID, Email: u.Email, ServiceToken: u.ServiceToken, Name: u.Name, Roles: distinct(u.Roles),
		Disabled: u.Disabled, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
	if len(v.Roles) > 0 {
		v.Role = v.Roles[0]
	}
	if !u.Bound.IsZero() {
		v.Bound = &Bound{u.Bound.Provider, u.Bound.Issuer, u.Bound.Subject, u.BoundAt}
	}
	return v
}

// tag is of all that is shown.
func (v UserView) tag() string { return input.Tag(v) }
