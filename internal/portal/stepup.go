package portal

import "github.com/portreeve/portreeve/internal/fault"

// Asks reports whether a form has to ask for a code. It is for templates.
func (f *form) Asks() bool { return f.Issue("mfaCode") != "" }

// stepUpBy spends the code of a second factor that a form came with, or takes what
// a passkey was good for: it goes along with what the form asks.
func (v *visit) stepUpBy(f *form) error {
	code := f.get("mfaCode")
	v.stepUp = f.get("stepUp") // of a passkey, by the page's script
	f.values.Del("stepUp")
	if code == "" {
		return nil
	}
	var out struct {
		StepUpToken string `json:"stepUpToken"`
	}
	err := v.ask("POST", "/mfa/verify", map[string]string{"code": code}, &out)
	f.values.Del("mfaCode")
	if err != nil && !is(err, fault.BadRequest) {
		return err
	}
	if err != nil {
		f.wrong("mfaCode", "This code is wrong, or was used before; wait for the next one")
	}
	v.stepUp = out.StepUpToken // "" after a wrong one: the operation asks again
	return nil
}

// showsPasskeys reports whether the reader has a passkey to show.
func (v *visit) showsPasskeys() bool {
	var out struct{ Passkeys []struct{ ID string } }
	return v.ask("GET", "/mfa", nil, &out) == nil && len(out.Passkeys) > 0
}
