package loginhooks

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/login"
	"github.com/portreeve/portreeve/internal/mfa"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/tenant"
)

// errEnrolled is what somebody hears who has a factor already, as Auth0 says it.
var errEnrolled = fault.New(fault.Forbidden, login.CodeDenied, "User is already enrolled.")

// person is a holder as the factors know people: as a caller of the provider whose
// credential is the login that waits.
func (h *Hooks) person(who login.Holder) (mfa.Person, error) {
	key, err := json.Marshal(who.Key)
	if err != nil {
		return mfa.Person{}, err
	}
	return mfa.PersonOf(&principal.Principal{
		Kind: principal.User, Provider: h.c.Provider, ProviderKind: identity.KindOIDC, Issuer: who.Issuer, Subject: who.Subject,
		Email: who.Email, EmailFolded: who.Email, EmailVerified: who.Email != "", Raw: key, AuthTime: who.Since, IssuedAt: who.Since, Expires: who.Until,
	}, h.c.Tenant, who.UserID, h.c.Site)
}

func (h *Hooks) holderBy(who login.Holder) tenant.By {
	return h.by(who.Caller, whom{issuer: who.Issuer, subject: who.Subject, email: who.Email})
}

// Have implements login.Factors.
func (h *Hooks) Have(ctx context.Context, who login.Holder) (out login.Having, err error) {
	p, err := h.person(who)
	if err != nil {
		return out, err
	}
	st, err := h.d.MFA.State(ctx, p)
	if err != nil {
		return out, err
	}
	for _, f := range st.Factors {
		out.App, out.Passkey = out.App || f == "totp", out.Passkey || f == "passkey"
	}
	out.Passkey = out.Passkey && h.c.Factors.PasskeyHost != ""
	if st.Enabled {
		codes, err := h.d.MFA.Codes(ctx, h.holderBy(who), p, "", false)
		if err != nil {
			return out, err
		}
		out.Codes = codes.Remaining
	}
	return out, nil
}

// Enrol implements login.Factors.
func (h *Hooks) Enrol(ctx context.Context, who login.Holder) (secret, uri string, err error) {
	p, err := h.person(who)
	if err != nil {
		return "", "", err
	}
	issuer := h.c.Factors.Issuer
	if issuer == "" {
		issuer = strings.ReplaceAll(short(who.Host, 64), ":", " ")
	}
	made, err := h.d.MFA.Setup(ctx, h.holderBy(who), p, mfa.Proof{}, issuer)
	if errors.Is(err, mfa.ErrEnabled) || errors.Is(err, mfa.ErrFactorRequired) {
		return "", "", errEnrolled
	}
	return made.Secret, made.OtpauthURL, tried(err)
}

// Challenge implements login.Factors.
func (h *Hooks) Challenge(ctx context.Context, who login.Holder) (json.RawMessage, error) {
	p, err := h.person(who)
	if err != nil || h.c.Factors.PasskeyHost == "" {
		return nil, err
	}
	asked, err := h.d.MFA.BeginLogin(ctx, h.holderBy(who), p, h.party())
	if errors.Is(err, mfa.ErrNotEnabled) {
		return nil, nil
	}
	if err != nil {
		return nil, tried(err)
	}
	return json.Marshal(asked.Response)
}

// Prove implements login.Factors. Whatever is wrong is counted by mfa, for the person
// and over all ways to try.
func (h *Hooks) Prove(ctx context.Context, who login.Holder, proof login.Proof) (out login.Proven, err error) {
	p, err := h.person(who)
	if err != nil {
		return out, err
	}
	by, set := h.holderBy(who), mfa.Settings{StepUpFor: time.Minute}
	st, err := h.d.MFA.State(ctx, p)
	switch {
	case err != nil:
		return out, err
	case proof.Passkey != nil:
		if h.c.Factors.PasskeyHost == "" {
			return out, nil
		}
		_, err = h.d.MFA.FinishLogin(ctx, by, p, h.party(), proof.Passkey, set)
		out.OK = err == nil
	case st.Enabled:
		var done mfa.Verified
		done, err = h.d.MFA.Verify(ctx, by, p, clean(proof), set)
		out.OK = err == nil && done.StepUp != nil // not that of an app that is only being set up
	case proof.OTP != "":
		// In two steps: Enable alone asks for no code where one was shown elsewhere.
		if _, err = h.d.MFA.Verify(ctx, by, p, clean(proof), set); err == nil {
			out.RecoveryCodes, err = h.d.MFA.Enable(ctx, by, p, mfa.Proof{})
		}
		out.OK = err == nil
	}
	if errors.Is(err, mfa.ErrInvalidCode) || errors.Is(err, mfa.ErrNotEnabled) || errors.Is(err, mfa.ErrPending) || errors.Is(err, mfa.ErrEnabled) {
		return login.Proven{}, nil
	}
	if err != nil {
		return login.Proven{}, tried(err)
	}
	return out, nil
}

// clean takes away the blanks that people type among digits. A recovery code that has
// the form of an app's code is none.
func clean(p login.Proof) string {
	code := strings.ReplaceAll(strings.TrimSpace(p.OTP+p.Recovery), " ", "")
	if len(code) > 64 || p.Recovery != "" && len(code) == 6 || p.OTP != "" && len(code) != 6 {
		return "-"
	}
	return code
}

// tried is a person's lock in the words of a login.
func tried(err error) error {
	if f := fault.From(err); err != nil && f.Kind == fault.TooManyRequests {
		out := fault.New(fault.TooManyRequests, "too_many_attempts", "")
		out.RetryAfter = f.RetryAfter
		return out
	}
	return err
}

// party is the side that passkeys are for.
func (h *Hooks) party() mfa.Party {
	f := h.c.Factors
	origins := f.PasskeyOrigins
	if len(origins) == 0 {
		origins = []string{"https://" + f.PasskeyHost}
	}
	return mfa.Party{Host: f.PasskeyHost, Name: f.Issuer, Origins: origins}
}
