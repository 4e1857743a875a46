package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/netip"
)

// row is an event as it is stored.
type row struct {
	tenant                                          string
	n, at                                           int64
	id, action, target, result, decision, request   string
	actorKind, provider, issuer, actorID, actorUser string
	detail                                          string
	actorMark, targetMark                           []byte
	keyID                                           string
	hash                                            []byte

	actor, targetPerson person
}

// person is the erasable part of a row.
type person struct {
	there         bool
	salt          []byte
	email, folded string
	ip            string
}

// The parts of a row that a person can stand in.
const (
	partActor  = "actor"
	partTarget = "target"
)

// The labels of what is digested. They are part of what is stored: never change
// one, add another.
const (
	labelRow    = "portreeve audit row v1"
	labelPerson = "portreeve audit person v1"
)

func newRow(e Event, keyID string) (row, error) {
	detail, err := json.Marshal(e.Detail) // in the order of its keys
	if err != nil {
		return row{}, err
	}
	r := row{
		tenant: e.Tenant, id: e.ID, action: e.Action, target: e.Target, result: e.Result, decision: e.Decision, request: e.Request,
		actorKind: e.Actor.Kind, provider: e.Actor.Provider, issuer: e.Actor.Issuer, actorID: e.Actor.ID, actorUser: e.Actor.UserID,
		detail: string(detail), keyID: keyID,
		actor:        newPerson(e.Actor.Email, e.Actor.IP),
		targetPerson: newPerson(e.TargetEmail, netip.Addr{}),
	}
	r.actorMark, r.targetMark = r.actor.mark(), r.targetPerson.mark()
	return r, nil
}

func newPerson(email string, ip netip.Addr) person {
	p := person{email: email, folded: folded(email)}
	if ip.IsValid() {
		p.ip = ip.Unmap().WithZone("").String()
	}
	if p.there = p.email != "" || p.ip != ""; p.there {
		p.salt = make([]byte, 16)
		_, _ = rand.Read(p.salt) // never fails
	}
	return p
}

// mark is what the chain keeps of a person: without the salt, which is erased
// with the rest, it says nothing about them, not even to who tries addresses.
func (p person) mark() []byte {
	if !p.there {
		return []byte{}
	}
	b := field(nil, labelPerson)
	b = field(b, string(p.salt))
	b = field(b, p.email)
	b = field(b, p.folded)
	b = field(b, p.ip)
	sum := sha256.Sum256(b)
	return sum[:]
}

// encode is what the hash of a row is made over: every column, each with its
// length before it, and the hash of the row before. That of the first is empty.
func (r *row) encode(b, before []byte) []byte {
	b = field(b, labelRow)
	b = field(b, r.tenant)
	b = number(b, r.n)
	b = field(b, r.id)
	b = number(b, r.at)
	for _, s := range []string{r.action, r.target, r.result, r.decision, r.request,
		r.actorKind, r.provider, r.issuer, r.actorID, r.actorUser, r.detail,
		string(r.actorMark), string(r.targetMark), r.keyID} {
		b = field(b, s)
	}
	return field(b, string(before))
}

// sum is the hash of a row under the key of its chain.
func (r *row) sum(key, before []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(r.encode(make([]byte, 0, 1024), before))
	return h.Sum(nil)
}

func field(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(s))), s...)
}

func number(b []byte, n int64) []byte {
	b = binary.BigEndian.AppendUint64(b, 8)
	return binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // bits, not a value
}
