package loginhooks

import (
	"github.com/portreeve/portreeve/internal/actions"
	"github.com/portreeve/portreeve/internal/config"
)

// May is what scripts of a site may call.
type May struct {
	Auth0 bool // the provider runs Actions of its own
	Hold  bool // a second factor can be asked for
	Claim bool // tokens are signed here
	Login bool // the key login, where registrations may come by
}

// Check reports what scripts call and cannot have, as far as their code shows it.
// What it does not show is refused when it is called.
func Check(c *actions.Config, set actions.Set, may May, r *config.Reporter) {
	if c == nil {
		return
	}
	if may.Auth0 {
		r.Warnf("", "Auth0 runs Actions of its own: these run besides, after its answer, and what they set in metadata is kept here and not there")
	}
	for i, s := range set.PostLogin {
		at := "postLogin"
		if len(set.PostLogin) == len(c.PostLogin) { // else some could not be read
			at += config.Index(i)
		}
		if !may.Claim && actions.Uses(s, actions.PostLogin, "setCustomClaim") {
			switch {
			case may.Auth0:
				r.Errorf(at, "%s calls setCustomClaim, and Auth0 signs the tokens: deploy it there", s.Name)
			case may.Login:
				r.Errorf(at, "%s calls setCustomClaim, which needs `reissue: true`: only then does Portreeve sign tokens", s.Name)
			default:
				r.Errorf(at, "%s calls setCustomClaim, which is for login with `reissue: true`: backoffice signs no tokens", s.Name)
			}
		}
		if !may.Hold && actions.Uses(s, actions.PostLogin, "multifactor.enable") {
			if may.Auth0 {
				r.Errorf(at, "%s calls api.multifactor.enable, and the second factors are Auth0's: deploy it there", s.Name)
			} else {
				r.Errorf(at, "%s calls api.multifactor.enable, which is for login: backoffice has no path by which a factor could be shown", s.Name)
			}
		}
	}
}
