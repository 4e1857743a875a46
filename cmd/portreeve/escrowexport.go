package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/escrow/ends"
	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// escrowExport is what `portreeve tenants export` has of escrow, and what one can
// put together of the API's answers: the keys of GET /v1/tenant/key, and the
// answers of POST /v1/secrets/{id}/reveal as they are.
type escrowExport struct {
	Tenant   string            `json:"tenant"`
	Keys     []exportedKey     `json:"keys"`
	Machines []exportedMachine `json:"machines"`
	Secrets  []exportedSecret  `json:"secrets"`
}

type exportedKey struct {
	Kid           string          `json:"kid"`
	PublicKey     json.RawMessage `json:"publicKey"`
	SigningKey    json.RawMessage `json:"signingKey"`
	Signature     string          `json:"signature"`
	Authorization string          `json:"authorization"`
	Predecessor   string          `json:"predecessor"`
	CreatedAt     string          `json:"createdAt"`
	Wrappings     []struct {
		Version int             `json:"version"`
		Wrapped json.RawMessage `json:"wrappedPrivateKey"`
	} `json:"wrappings"`
	Recovery []struct {
		Sealed string `json:"sealed"`
		Set    string `json:"set"`
	} `json:"recovery"`
}

type exportedMachine struct {
	ID           string `json:"id"`
	Serial       string `json:"serial"`
	Hostname     string `json:"hostname"`
	LastHostname string `json:"lastHostname"`
	// Hostnames are those that it has had besides the first.
	Hostnames []string `json:"hostnames"`
}

type exportedSecret struct {
	ID         string           `json:"id"`
	Tenant     string           `json:"tenant"`
	Machine    *exportedMachine `json:"machine"` // of a reveal
	MachineID  string           `json:"machineId"`
	Kind       string           `json:"kind"`
	Label      string           `json:"label"`
	Version    int              `json:"version"`
	Kid        string           `json:"kid"`
	Ciphertext string           `json:"ciphertext"`
	CreatedAt  string           `json:"createdAt"`
}

// readEscrowExport reads an export: of a tenant whole, or of escrow alone.
func readEscrowExport(raw []byte) (escrowExport, error) {
	var whole struct {
		escrowExport
		Tenant json.RawMessage `json:"tenant"`
		Parts  struct {
			Escrow json.RawMessage `json:"escrow"`
		} `json:"parts"`
	}
	err := json.Unmarshal(raw, &whole)
	if err == nil && len(whole.Parts.Escrow) > 0 {
		raw = whole.Parts.Escrow
	}
	var e escrowExport
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	switch {
	case err != nil:
		return e, errors.New("the export is no JSON as it is described")
	case e.Tenant == "" || len(e.Keys) == 0:
		return e, errors.New("the export has no escrow in it: a tenant and its keys")
	}
	for i := range e.Secrets {
		x := &e.Secrets[i]
		if x.Machine == nil {
			at := slices.IndexFunc(e.Machines, func(m exportedMachine) bool { return m.ID == x.MachineID })
			if at < 0 {
				return e, fmt.Errorf("the export does not have the machine %q of secret %q", x.MachineID, x.ID)
			}
			x.Machine = &e.Machines[at]
		}
		if x.Tenant == "" {
			x.Tenant = e.Tenant
		}
	}
	return e, nil
}

// published are the keys, to be held against a pin.
func (e escrowExport) published() ([]ends.Published, error) {
	out := make([]ends.Published, 0, len(e.Keys))
	for _, k := range e.Keys {
		public, err := envelope.ParsePublic(k.PublicKey, envelope.ImportedBits)
		if err != nil {
			return nil, fmt.Errorf("key %q %w", k.Kid, err)
		}
		out = append(out, ends.Published{Public: public, Tenant: e.Tenant, CreatedAt: k.CreatedAt, Predecessor: k.Predecessor,
			SigningKey: k.SigningKey, Signature: k.Signature, Authorization: k.Authorization})
	}
	return out, nil
}

// key is the key of a kid.
func (e escrowExport) key(kid string) (exportedKey, error) {
	i := slices.IndexFunc(e.Keys, func(k exportedKey) bool { return k.Kid == kid })
	if i < 0 {
		return exportedKey{}, fmt.Errorf("the export does not have the key %q", kid)
	}
	return e.Keys[i], nil
}

func (x exportedSecret) listed() ends.Listed {
	m := x.Machine
	return ends.Listed{Kid: x.Kid, Tenant: x.Tenant, Kind: x.Kind, MachineID: m.ID, Serial: m.Serial, Hostnames: append([]string{m.Hostname, m.LastHostname}, m.Hostnames...)}
}

// named reports whether a machine is what somebody calls it.
func (m exportedMachine) named(name string) bool {
	fold := func(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }
	return name == m.ID || name == m.Serial || fold(name) == fold(m.Hostname) || m.LastHostname != "" && fold(name) == fold(m.LastHostname) ||
		slices.ContainsFunc(m.Hostnames, func(h string) bool { return fold(name) == fold(h) })
}
