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
		shown := func(c caller, token string, header ...request.Field) error {
			return r.Shown(t.Context(), &gateway.Call{View: &request.View{Host: c.host, Header: header}, Who: c.who, Tenant: c.tenant,
				Standing: &policy.Standing{Who: c.who, Tenant: c.tenant, UserID: c.user}, Site: &gateway.Site{Name: c.host}}, token)
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
		r.clock.add(11 * time.Minute)
		if err := shown(anna, token); !errors.Is(err, ErrFactorRequired) {
			t.Errorf("after its time: %v", err)
		}
	})
}
