package mfa

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

const (
	challengeFor = 5 * time.Minute
	mostPasskeys = 20
	mostName     = 64
)

// What passkeys are refused with.
var (
	ErrNoPasskey    = fault.New(fault.NotFound, "no_passkey", "Passkey not found")
	ErrPasskeys     = fault.New(fault.Conflict, "too_many_passkeys", "The account has as many passkeys as it may have")
	ErrPasskeyTaken = fault.New(fault.Conflict, "passkey_taken", "This passkey is registered already")
	ErrBadPasskey   = fault.New(fault.BadRequest, "bad_passkey", "The passkey was not accepted; begin again")
	ErrNoHost       = fault.New(fault.BadRequest, "no_passkeys_here", "Passkeys need a site with a host name")
)

// Party is the side that a passkey is for: the host that the browser shows, and
// the origins of pages there.
type Party struct {
	Host, Name string
	Origins    []string
}

func (pt Party) library() (*webauthn.WebAuthn, error) {
	if protocol.ValidateRPID(pt.Host) != nil {
		return nil, ErrNoHost
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: pt.Host, RPDisplayName: pt.Name, RPOrigins: pt.Origins,
		AttestationPreference:  protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred},
		Timeouts:               webauthn.TimeoutsConfig{Login: webauthn.TimeoutConfig{Timeout: challengeFor}, Registration: webauthn.TimeoutConfig{Timeout: challengeFor}},
	})
	if err != nil {
		return nil, fault.Wrap(fault.BadRequest, ErrNoHost.Code, ErrNoHost.Message, err)
	}
	return w, nil
}

// account is a person as the library asks for one.
type account struct {
	handle, name string
	keys         []webauthn.Credential
}

func (a account) WebAuthnID() []byte                         { return []byte(a.handle) }
func (a account) WebAuthnName() string                       { return a.name }
func (a account) WebAuthnDisplayName() string                { return a.name }
func (a account) WebAuthnCredentials() []webauthn.Credential { return a.keys }

// accountAt is a person with the passkeys of one host.
func accountAt(p Person, st *standing, f factors, host string) account {
	a := account{handle: st.handle, name: clipped(accountOf(p), 64)}
	for _, k := range f.passkeys {
		if k.rp == host {
			a.keys = append(a.keys, k.credential)
		}
	}
	return a
}

func (a account) descriptors() []protocol.CredentialDescriptor {
	return webauthn.Credentials(a.keys).CredentialDescriptors()
}

// BeginRegister asks an authenticator for a new passkey. The answer is what
// navigator.credentials.create takes.
func (s *Service) BeginRegister(ctx context.Context, by tenant.By, p Person, pt Party, proof Proof) (out *protocol.CredentialCreation, err error) {
	w, err := pt.library()
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
		f, err := factorsOf(tx, p, s.now())
		if err != nil {
			return none, err
		}
		g, err := s.allow(tx, by, p, st, f, proof)
		if err != nil || g == wrong {
			return g, err
		}
		if len(f.passkeys) >= mostPasskeys {
			return none, ErrPasskeys
		}
		a := accountAt(p, st, f, pt.Host)
		var session *webauthn.SessionData
		if out, session, err = w.BeginRegistration(a, webauthn.WithExclusions(a.descriptors())); err != nil {
			return none, err
		}
		return g, s.ask(tx, p, "register", session)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ask keeps a challenge.
func (s *Service) ask(tx *store.Tx, p Person, kind string, session *webauthn.SessionData) error {
	raw, err := json.Marshal(session)
	if err != nil {
		return err
	}
	return putChallenge(tx, p, kind, session.Challenge, raw, s.now())
}

// FinishRegister keeps a new passkey: response is what
// navigator.credentials.create answered.
func (s *Service) FinishRegister(ctx context.Context, by tenant.By, p Person, pt Party, name string, response []byte) (out Passkey, err error) {
	w, err := pt.library()
	if err != nil {
		return Passkey{}, err
	}
	if name = strings.TrimSpace(name); !plainText(name, mostName) {
		return Passkey{}, input.Invalid("name", fmt.Sprintf("must be at most %d characters on one line", mostName))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Passkey{}, fault.Wrap(ErrBadPasskey.Kind, ErrBadPasskey.Code, ErrBadPasskey.Message, err)
	}
	var bad error
	err = s.write(ctx, by, p, false, func(tx *store.Tx, st *standing) (guess, error) {
		bad = nil
		now := s.now()
		f, err := factorsOf(tx, p, now)
		if err != nil {
			return none, err
		}
		session, ok, err := s.answered(tx, p, "register", parsed.Response.CollectedClientData.Challenge)
		if err != nil || !ok {
			bad = ErrBadPasskey
			return none, err
		}
		c, err := w.CreateCredential(accountAt(p, st, f, pt.Host), session, parsed)
		if err != nil { // the challenge is spent all the same
			bad = fault.Wrap(ErrBadPasskey.Kind, ErrBadPasskey.Code, ErrBadPasskey.Message, err)
			return none, nil
		}
		if len(f.passkeys) >= mostPasskeys {
			return none, ErrPasskeys
		}
		c.Attestation = webauthn.CredentialAttestation{} // nobody asks for it again
		k := passkey{id: newID("pk_"), rp: pt.Host, name: name, credential: *c, createdAt: now.UTC()}
		if k.name == "" {
			k.name = "Passkey"
		}
		switch free, err := insertPasskey(tx, p, k); {
		case err != nil:
			return none, err
		case !free:
			return none, ErrPasskeyTaken
		}
		// What began under the factors before ends: a thief's enrolment too.
		if err := deleteChallenges(tx, p); err != nil {
			return none, err
		}
		if err := deletePending(tx, p); err != nil {
			return none, err
		}
		out = k.view()
		return none, s.told(tx, by, p, "mfa.passkey_added", map[string]string{"passkey": k.id})
	})
	switch {
	case err != nil:
		return Passkey{}, err
	case bad != nil:
		return Passkey{}, bad
	}
	return out, nil
}

// answered spends the challenge of a response.
func (s *Service) answered(tx *store.Tx, p Person, kind, challenge string) (session webauthn.SessionData, ok bool, err error) {
	raw, ok, err := takeChallenge(tx, p, kind, strings.TrimRight(challenge, "="), s.now())
	if err != nil || !ok {
		return session, false, err
	}
	return session, true, json.Unmarshal(raw, &session)
}

// BeginLogin asks for one of the person's passkeys. The answer is what
// navigator.credentials.get takes.
func (s *Service) BeginLogin(ctx context.Context, by tenant.By, p Person, pt Party) (out *protocol.CredentialAssertion, err error) {
	w, err := pt.library()
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, by, p, true, func(tx *store.Tx, st *standing) (guess, error) {
		f, err := factorsOf(tx, p, s.now())
		if err != nil {
			return none, err
		}
		a := accountAt(p, st, f, pt.Host)
		if len(a.keys) == 0 {
			return none, ErrNotEnabled
		}
		var session *webauthn.SessionData
		if out, session, err = w.BeginLogin(a); err != nil {
			return none, err
		}
		return none, s.ask(tx, p, "login", session)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// FinishLogin gives a step-up for a passkey: response is what
// navigator.credentials.get answered.
func (s *Service) FinishLogin(ctx context.Context, by tenant.By, p Person, pt Party, response []byte, set Settings) (up StepUp, err error) {
	w, err := pt.library()
	if err != nil {
		return StepUp{}, err
	}
	parsed, bad := protocol.ParseCredentialRequestResponseBytes(response)
	err = s.write(ctx, by, p, true, func(tx *store.Tx, st *standing) (guess, error) {
		f, err := factorsOf(tx, p, s.now())
		switch {
		case err != nil:
			return none, err
		case len(f.passkeys) == 0:
			return none, ErrNotEnabled
		case bad != nil:
			return wrong, nil
		}
		session, ok, err := s.answered(tx, p, "login", parsed.Response.CollectedClientData.Challenge)
		if err != nil || !ok {
			return wrong, err
		}
		c, err := w.ValidateLogin(accountAt(p, st, f, pt.Host), session, parsed)
		if err != nil {
			s.d.Log.InfoContext(ctx, "a passkey was refused", "request", by.Request, "error", err.Error())
			return wrong, nil
		}
		if c.Authenticator.CloneWarning { // its counter went back: there is a copy of it
			s.d.Log.WarnContext(ctx, "a passkey's counter went back: it may have been copied", "request", by.Request, "tenant", p.Tenant, "person", p.ID)
			return wrong, nil
		}
		k, ok := keyOf(f, pt.Host, c.ID)
		if !ok {
			return wrong, nil
		}
		if err := usedPasskey(tx, p, k.id, *c, s.now()); err != nil {
			return none, err
		}
		up, err = s.grant(tx, by, p, used{"passkey", k.id}, set)
		return right, err
	})
	if err != nil {
		return StepUp{}, err
	}
	return up, nil
}

func keyOf(f factors, host string, id []byte) (passkey, bool) {
	for _, k := range f.passkeys {
		if k.rp == host && textOf(k.credential.ID) == textOf(id) {
			return k, true
		}
	}
	return passkey{}, false
}

// RemovePasskey removes a passkey. With the last factor the backup codes go too.
func (s *Service) RemovePasskey(ctx context.Context, by tenant.By, p Person, id string, proof Proof) error {
	return s.write(ctx, by, p, proof.Code != "", func(tx *store.Tx, st *standing) (guess, error) {
		f, err := factorsOf(tx, p, s.now())
		if err != nil {
			return none, err
		}
		there := false
		for _, k := range f.passkeys {
			there = there || k.id == id
		}
		if !there {
			return none, ErrNoPasskey
		}
		g, err := s.allow(tx, by, p, st, f, proof)
		if err != nil || g == wrong {
			return g, err
		}
		if err := deletePasskey(tx, p, id); err != nil {
			return none, err
		}
		if err := deleteChallenges(tx, p); err != nil {
			return none, err
		}
		if len(f.passkeys) == 1 && !f.totp.enabled() {
			if err := deleteAll(tx, p); err != nil {
				return none, err
			}
		}
		return g, s.told(tx, by, p, "mfa.passkey_removed", map[string]string{"passkey": id})
	})
}

func textOf(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
