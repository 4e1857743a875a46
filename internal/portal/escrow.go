package portal

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// What is done to the key is done in the browser: these pages are the words and
// the forms, scripts/escrow-*.js what happens on them. No form of theirs is ever
// posted here.
func (s *site) escrowKey() []gateway.SurfaceRoute {
	out := []gateway.SurfaceRoute{s.get("/escrow", "escrow key", showEscrow)}
	for _, w := range keyWork() {
		out = append(out, s.get("/escrow/"+w.Flow, "escrow key: "+w.Flow, func(v *visit) (request.Reply, error) { return workOnKey(v, w) }))
	}
	return out
}

// keyStep is a step on the page of a way.
type keyStep struct{ ID, Label string }

// keyWay is something that can be done to the key: steps on one page.
type keyWay struct {
	Flow, Title, Lead string
	Stages            []keyStep
	first             bool   // for a tenant that has no key
	asks              string // the operation that it ends with
}

// keyWork are the ways. Steps that some of them may skip are on every page, and
// hidden.
func keyWork() []keyWay {
	const (
		set  = "/v1/tenant/key"
		wrap = "/v1/tenant/key/kid/wrapping"
	)
	var (
		open   = keyStep{"open", "Open the key"}
		shares = keyStep{"shares", "Enter sheets"}
		choose = keyStep{"choose", "Passphrase"}
		sheets = keyStep{"sheets", "Recovery sheets"}
		check  = keyStep{"check", "Check the sheets"}
		store  = keyStep{"store", "Store"}
	)
	return []keyWay{
		{"setup", "Set up escrow", "Your browser makes a key pair. Machines seal secrets to the public half; the private half leaves this browser wrapped by a passphrase that the server never gets.",
			[]keyStep{choose, sheets, check, store}, true, set},
		{"passphrase", "Change the passphrase", "The key stays as it is, and so do the machines: it is opened here with the old passphrase and wrapped with a new one.",
			[]keyStep{open, choose, store}, false, wrap},
		{"rotate", "Replace the key", "Machines seal to a new key from then on. What was sealed before stays readable with the old key and its passphrase.",
			[]keyStep{open, choose, sheets, check, store}, false, set},
		{"recover", "Recover the key", "For when the passphrase is lost: enough recovery sheets open the key, and you choose a new passphrase.",
			[]keyStep{shares, choose, store}, false, wrap},
	}
}

// tenantKey is a key as /v1/tenant/key lists it, without what opens it.
type tenantKey struct {
	Kid        string
	SigningKey *struct{ Kid string }
	CreatedAt  time.Time
	Imported   bool
	Weak       bool
	PublicKey  json.RawMessage
}

// Bits is how long the key is, as people say it.
func (k tenantKey) Bits() int {
	var jwk struct{ N string }
	if json.Unmarshal(k.PublicKey, &jwk) != nil {
		return 0
	}
	return len(jwk.N) * 6 / 8 * 8
}

// tenantKeys are the tenant's, the current one first.
func (v *visit) tenantKeys() ([]tenantKey, error) {
	var list struct{ Keys []tenantKey }
	err := v.ask("GET", "/v1/tenant/key?wrappings=false", nil, &list)
	return list.Keys, err
}

func showEscrow(v *visit) (request.Reply, error) {
	list, err := v.tenantKeys()
	if err != nil {
		return request.Reply{}, err
	}
	data := struct {
		Tenant string
		Key    *tenantKey
		Older  []tenantKey
		Set    lock
		Reveal lock
	}{Tenant: v.c.Tenant, Set: v.may("POST", "/v1/tenant/key"), Reveal: v.may("POST", "/v1/secrets/any/reveal")}
	if len(list) > 0 {
		data.Key, data.Older = &list[0], list[1:]
	}
	return v.withModule("escrow-key.js", "escrow", "Escrow key", data)
}

func workOnKey(v *visit, w keyWay) (request.Reply, error) {
	list, err := v.tenantKeys()
	if err != nil {
		return request.Reply{}, err
	}
	data := struct {
		keyWay
		Tenant string
		Set    lock
		Exists bool // there is a key
		Vouch  bool // and it is an imported one that nothing signs
	}{keyWay: w, Tenant: v.c.Tenant, Set: v.may("POST", w.asks), Exists: len(list) > 0}
	data.Vouch = data.Exists && list[0].SigningKey == nil
	if !data.Set.OK || data.Exists == w.first || data.Vouch && w.Flow == "rotate" {
		return v.show("escrow-steps", w.Title, data)
	}
	return v.withModule("escrow-steps.js", "escrow-steps", w.Title, data)
}
