package loginhooks

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// Deps is what hooks work with.
type Deps struct {
	DB    *store.DB
	Users *tenant.Service
	MFA   *mfa.Service
	Audit *audit.Log // nil: nothing is recorded
	// Run runs scripts: actions.Engine's.
	Run func(ctx context.Context, t actions.Trigger, scripts []actions.Script, event any) (*actions.Outcome, error)
	Now func() time.Time
	Log *slog.Logger
}

// Settings are those of one site.
type Settings struct {
	Site, Tenant string
	// Provider is the name that identities are bound under; Shared says that a
	// provider of the file has it, whose tokens are the same people's.
	Provider string
	Shared   bool
	// Issuer is the provider's, with or without its last slash; Label is
	// event.tenant.id.
	Issuer, Label string
	Scripts       actions.Set
	// MayHold says that a second factor can be asked for, MayClaim that tokens are
	// signed here.
	MayHold, MayClaim bool
	Factors           login.FactorsConfig
}

// Hooks are the scripts of one site.
type Hooks struct {
	d Deps
	c Settings
}

// New makes the hooks of a site.
func New(d Deps, c Settings) *Hooks {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	c.Scripts = actions.Set{PostLogin: of(c.Site, c.Scripts.PostLogin), PreUserRegistration: of(c.Site, c.Scripts.PreUserRegistration)}
	return &Hooks{d: d, c: c}
}

// of are scripts as those of a site.
func of(site string, list []actions.Script) []actions.Script {
	list = slices.Clone(list)
	for i := range list {
		list[i].Site = site
	}
	return list
}

var (
	_ login.Hooks   = (*Hooks)(nil)
	_ login.Factors = (*Hooks)(nil)
)

// later is what is written once somebody has shown a second factor.
type later struct {
	App  map[string]json.RawMessage `json:"app,omitempty"`
	User map[string]json.RawMessage `json:"user,omitempty"`
}

// SignedIn implements login.Hooks.
func (h *Hooks) SignedIn(ctx context.Context, in *login.SignedIn) error {
	w, err := h.whose(in)
	if err != nil {
		return err
	}
	p, err := h.seen(ctx, in, w)
	if err != nil {
		return err
	}
	out, err := h.d.Run(ctx, actions.PostLogin, h.c.Scripts.PostLogin, h.postLogin(in, w, p))
	if err != nil {
		return err
	}
	if out.Denied {
		return denied(out.Reason)
	}
	if !h.c.MayClaim && len(out.IDToken)+len(out.AccessToken) > 0 {
		return h.cannot("set claims of tokens, which are not signed here")
	}
	in.IDClaims, in.AccessClaims = out.IDToken, out.AccessToken
	set := later{App: out.AppMetadata, User: out.UserMetadata}
	if out.MFA == "" {
		return h.write(ctx, p.user, set)
	}
	if !h.c.MayHold {
		return h.cannot("ask for a second factor, which cannot be asked for here")
	}
	in.Hold, in.Holder = true, login.Holder{Issuer: w.issuer, Subject: in.Subject, Email: w.email, UserID: p.user}
	in.Later, err = json.Marshal(set)
	return err
}

// Released implements login.Hooks.
func (h *Hooks) Released(ctx context.Context, who login.Holder, kept json.RawMessage) error {
	var set later
	if err := json.Unmarshal(kept, &set); err != nil {
		return err
	}
	return h.write(ctx, who.UserID, set)
}

// Registering implements login.Hooks. User metadata goes to the provider with the
// sign-up; all of it is kept for the row that the first login makes.
func (h *Hooks) Registering(ctx context.Context, in *login.Registering) error {
	out, err := h.d.Run(ctx, actions.PreUserRegistration, h.c.Scripts.PreUserRegistration, h.preRegistration(in))
	if err != nil {
		return err
	}
	if out.Denied {
		return refusedRegistration(out)
	}
	if len(out.UserMetadata) > 0 {
		was := map[string]json.RawMessage{}
		if in.UserMetadata != nil {
			if err := json.Unmarshal(in.UserMetadata, &was); err != nil {
				return err
			}
		}
		maps.Copy(was, out.UserMetadata)
		if in.UserMetadata, err = json.Marshal(was); err != nil {
			return err
		}
	}
	in.Outcome = later{App: out.AppMetadata, User: out.UserMetadata}
	return nil
}

// cannot is a script that calls what it may not, by a name that could not be seen
// when it was loaded.
func (h *Hooks) cannot(what string) error {
	return fault.Wrap(fault.Unavailable, "action_failed", "", errors.New("an action of "+h.c.Site+" tries to "+what))
}

// denied is a refusal with the reason that a script gives the application.
func denied(reason string) error {
	if reason == "" {
		reason = "Access denied"
	}
	return fault.New(fault.Forbidden, login.CodeDenied, reason)
}

// refusedRegistration is a refusal with what a script has for people; its reason is
// for an operator, and stays here.
func refusedRegistration(out *actions.Outcome) error { return denied(out.UserMessage) }

// whom is who the provider let in.
type whom struct {
	issuer, subject string
	email           string // folded and verified, or ""
	claims          map[string]any
}

// whose reads the ID token. A provider that does not say who it let in has answered
// badly: scripts have nothing to decide by.
func (h *Hooks) whose(in *login.SignedIn) (w whom, err error) {
	garbled := func(why string) error {
		return fault.Wrap(fault.BadGateway, "provider_answer", "", errors.New(why))
	}
	if in.Subject == "" || json.Unmarshal(in.Claims, &w.claims) != nil {
		return w, garbled("a success without an ID token that names somebody, which actions need")
	}
	w.issuer, _ = w.claims["iss"].(string)
	if w.issuer == "" || strings.TrimSuffix(w.issuer, "/") != strings.TrimSuffix(h.c.Issuer, "/") {
		return w, garbled("an ID token of another issuer")
	}
	w.subject = in.Subject
	if verified, _ := w.claims["email_verified"].(bool); verified {
		w.email, _, _ = principal.FoldEmail(in.Email)
	}
	return w, nil
}

func (h *Hooks) by(c login.Caller, w whom) tenant.By {
	return tenant.By{Actor: audit.Actor{Kind: string(principal.User), Provider: h.c.Provider, Issuer: w.issuer, ID: w.subject, Email: w.email, IP: c.IP},
		Request: c.Request, Decision: c.Decision}
}
