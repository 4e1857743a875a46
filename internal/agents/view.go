package agents

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/request"
)

// View is a thing as callers see it.
type View struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Public      bool            `json:"public"`
	Role        string          `json:"role,omitempty"`     // the caller's own
	Settings    json.RawMessage `json:"settings,omitempty"` // for who has a role
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`
}

// ViewOf is a thing as callers see it. Who has no role on it sees that it is
// there, and not its settings: reading it takes a role.
func ViewOf(a Agent) View {
	v := View{ID: a.ID, Name: a.ID, Description: a.Description, Public: a.Public, Role: a.Role, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
	if a.Role != "" {
		v.Settings = a.Settings
	}
	return v
}

// tag is of the thing: the caller's own role on it is not.
func (v View) tag() string {
	v.Role = ""
	return input.Tag(v)
}

// MemberView is a member as callers see it: one of email, serviceToken and
// subject says who it is.
type MemberView struct {
	ID           string    `json:"id"`
	Email        string    `json:"email,omitempty"`
	ServiceToken string    `json:"serviceToken,omitempty"`
	Subject      string    `json:"subject,omitempty"`
	Provider     string    `json:"provider,omitempty"` // of subject
	Role         string    `json:"role"`
	CreatedAt    time.Time `json:"createdAt"`
}

// MemberViewOf is a member as callers see it.
func MemberViewOf(m Member) MemberView {
	return MemberView{ID: m.ID, Email: m.Email, ServiceToken: m.ServiceToken, Subject: m.Identity.Subject, Provider: m.Identity.Provider, Role: m.Role, CreatedAt: m.CreatedAt}
}

// tag is of all that is shown.
func (v MemberView) tag() string { return input.Tag(v) }

// answer is what a success looks like.
type answer struct {
	Data any   `json:"data"`
	Meta *meta `json:"meta,omitempty"`
}

type meta struct {
	Total  int `json:"total"`
	Limit  int `json:"limit"`
	Offset int `json:"offset"`
}

func one(status int, v any) request.Reply { return gateway.JSON(status, answer{Data: v}) }

// many is a page of a list; its data is never null.
func many[T, V any](list []T, view func(T) V, l Listing, total int) request.Reply {
	views := make([]V, len(list))
	for i, v := range list {
		views[i] = view(v)
	}
	return gateway.JSON(200, answer{Data: views, Meta: &meta{Total: total, Limit: l.Limit, Offset: l.Offset}})
}
