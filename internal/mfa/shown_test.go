package mfa

import (
	"errors"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/policy"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
)

// Who has a factor is asked for it, by header or by the token of a body; who has
// none, and what has none, is not.
func TestWhoIsAskedForAFactor(t *testing.T) {
	each(t, func(t *testing.T, r *room) {
		call := func(c caller, header ...request.Field) *gateway.Call {
			return &gateway.Call{View: &request.View{Host: c.host, Header: header}, Who: c.who, Tenant: c.tenant,
				Standing: &policy.Standing{Who: c.who, Tenant: c.tenant, UserID: c.user}, Site: &gateway.Site{Name: c.host}}
		}
		shown := func(c caller, token string, header ...request.Field) error {
			return r.Shown(t.Context(), call(c, header...), token)
		}
		demanded := func(c caller, token string, header ...request.Field) error {
			return r.Demanded(t.Context(), call(c, header...), token)
		}
		anna := r.anna()
		if err := shown(anna, ""); err != nil {
			t.Errorf("who has no factor: %v", err)
		}
		secret, _ := r.enrolled(t, anna)
		token := r.token(t, anna, secret)
		for name, err := range map[string]error{"none": shown(anna, ""), "another": shown(anna, token[1:]+"x"), "twice": shown(anna, "", request.Field{Name: Header, Value: token}, request.Field{Name: Header, Value: token})} {
			if !errors.Is(err, ErrFactorRequired) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"in the body": shown(anna, token), "by header": shown(anna, "", request.Field{Name: Header, Value: token}),
			"by a trusted provider": shown(anna.with(func(p *principal.Principal) { p.SecondFactor = true }), ""),
			"a service":             shown(anna.with(func(p *principal.Principal) { p.Kind = principal.Service }), ""),
			"somebody else":         shown(r.person("ben"), ""),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Where the site asks for one, it is asked of everybody: by the step-up of this
		// person, session and site, or a provider's word of a time that has been.
		now := r.clock.now()
		said := func(at time.Time) func(*principal.Principal) {
			return func(p *principal.Principal) { p.SecondFactor, p.AuthTime, p.IssuedAt = true, at, time.Time{} }
		}
		elsewhere := anna
		elsewhere.host = "other.example.com"
		for name, err := range map[string]error{
			"none": demanded(anna, ""), "another": demanded(anna, token[1:]+"x"), "somebody without a factor": demanded(r.person("ben"), ""),
			"somebody else's": demanded(r.person("ben"), token), "of another site": demanded(elsewhere, token),
			"of another credential": demanded(anna.with(func(p *principal.Principal) { p.Expires = p.Expires.Add(time.Second) }), token), "of a session": demanded(anna.session("s1"), token),
			"a service":           demanded(anna.with(func(p *principal.Principal) { p.Kind = principal.Service }), token),
			"a word for tomorrow": demanded(anna.with(said(now.Add(24*time.Hour))), ""), "a word without a time": demanded(anna.with(said(time.Time{})), ""),
		} {
			if !errors.Is(err, ErrFactorRequired) {
				t.Errorf("demanded, %s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"in the body": demanded(anna, token), "by header": demanded(anna, "", request.Field{Name: Header, Value: token}), "by a word": demanded(anna.with(said(now)), ""),
		} {
			if err != nil {
				t.Errorf("demanded, %s: %v", name, err)
			}
		}
		r.clock.add(11 * time.Minute)
		if err := demanded(anna, token); !errors.Is(err, ErrFactorRequired) {
			t.Errorf("demanded, after its time: %v", err)
		}
		if err := shown(anna, token); !errors.Is(err, ErrFactorRequired) {
			t.Errorf("after its time: %v", err)
		}
	})
}
