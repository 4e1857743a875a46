package ends

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
	"github.com/portreeve/portreeve/internal/principal"
)

// Listed is what a server says a secret is.
type Listed struct {
	Kid, Tenant, Kind string
	// The machine's names. One of them stands in the secret's header.
	MachineID, Serial string
	Hostnames         []string // whatever their case
}

// Opened is a secret that was opened.
type Opened struct {
	Secret []byte
	// Bound reports that tenant, machine and kind stand inside the envelope and are
	// what the server says. False: it is RSA-OAEP alone, and nothing shows whose it
	// is.
	Bound bool
	// Machine is the name of the machine that it was sealed by.
	Machine string
}

// SwapError is said where a secret is not what it is listed as: somebody who
// holds the store has put it there.
type SwapError struct{ What, Sealed, Listed string }

func (e *SwapError) Error() string {
	return fmt.Sprintf("the secret was swapped: it was sealed for %s %q and is listed under %q", e.What, e.Sealed, e.Listed)
}

var errSealed = errors.New("the secret does not open with the key: it was altered, or sealed to another one")

// Open opens a secret, in either format, and holds what it says of itself against
// what the server says.
func (k *Key) Open(ciphertext string, want Listed) (Opened, error) {
	if want.Kid != k.Public.Kid {
		return Opened{}, fmt.Errorf("the secret is sealed to the key %s, and this is %s", want.Kid, k.Public.Kid)
	}
	if !envelope.IsJWE(ciphertext) {
		return k.openRaw(ciphertext)
	}
	s, err := envelope.ParseSealed(ciphertext)
	if err == nil {
		err = s.To(k.Public)
	}
	if err != nil {
		return Opened{}, badly("the secret", err)
	}
	if err := swapped(s, want); err != nil {
		return Opened{}, err
	}
	object, err := jose.ParseEncryptedCompact(ciphertext, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return Opened{}, errSealed
	}
	secret, err := object.Decrypt(k.rsa)
	if err != nil {
		return Opened{}, errSealed
	}
	return Opened{Secret: secret, Bound: true, Machine: s.Machine}, nil
}

func (k *Key) openRaw(text string) (Opened, error) {
	if err := envelope.CheckRaw(text, k.Public); err != nil {
		return Opened{}, badly("the secret", err)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Opened{}, err
	}
	secret, err := rsa.DecryptOAEP(sha256.New(), nil, k.rsa, b, nil)
	if err != nil {
		return Opened{}, errSealed
	}
	return Opened{Secret: secret}, nil
}

// swapped compares a header with what a server lists.
func swapped(s envelope.Sealed, want Listed) error {
	switch {
	case s.Kid != "" && s.Kid != want.Kid:
		return &SwapError{"the key", s.Kid, want.Kid}
	case s.Tenant != want.Tenant:
		return &SwapError{"the tenant", s.Tenant, want.Tenant}
	case s.Kind != want.Kind:
		return &SwapError{"the kind", s.Kind, want.Kind}
	case s.Machine == want.MachineID || want.Serial != "" && s.Machine == want.Serial:
		return nil
	case slices.ContainsFunc(want.Hostnames, func(h string) bool { return h != "" && foldHost(h) == foldHost(s.Machine) }):
		return nil
	}
	name := want.MachineID
	if len(want.Hostnames) > 0 {
		name = want.Hostnames[0]
	}
	return &SwapError{"the machine", s.Machine, name}
}

// foldHost is the one form in which the server compares hostnames.
func foldHost(s string) string { return strings.TrimSuffix(principal.FoldASCII(s), ".") }

// errAsked is what a server would cause that asked for a secret to be opened.
var errAsked = errors.New("the challenge is none: what the server wants opened is something else, perhaps a secret")

// Answer opens a challenge: the 32 bytes that prove the private key. What opens to
// anything else is not handed out.
func (k *Key) Answer(ciphertext string) (proof string, err error) {
	o, err := k.openRaw(ciphertext)
	if err != nil {
		return "", err
	}
	if !envelope.IsChallenge(o.Secret, k.Public.Kid) {
		clear(o.Secret)
		return "", errAsked
	}
	return base64.StdEncoding.EncodeToString(o.Secret), nil
}
