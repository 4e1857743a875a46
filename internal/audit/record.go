package audit

import (
	"encoding/hex"
	"encoding/json"
	"time"
)

// Record is an event as it is shown and exported.
type Record struct {
	Tenant      string            `json:"tenant"`
	N           int64             `json:"n"`
	ID          string            `json:"id"`
	Time        string            `json:"time"`
	Action      string            `json:"action"`
	Target      string            `json:"target,omitempty"`
	TargetEmail string            `json:"targetEmail,omitempty"`
	Result      string            `json:"result"`
	Decision    string            `json:"decision,omitempty"`
	Request     string            `json:"request,omitempty"`
	Actor       RecordActor       `json:"actor"`
	Detail      map[string]string `json:"detail,omitempty"`
	Erased      bool              `json:"erased,omitempty"` // something was said of a person and was erased
	Key         string            `json:"key"`
	Hash        string            `json:"hash"`
}

// RecordActor is who did it.
type RecordActor struct {
	Kind     string `json:"kind"`
	Provider string `json:"provider,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	ID       string `json:"id,omitempty"`
	UserID   string `json:"userId,omitempty"`
	Email    string `json:"email,omitempty"`
	IP       string `json:"ip,omitempty"`
}

func (r *row) record() Record {
	detail, err := details(r.detail)
	if err != nil { // changed by somebody: Verify says so
		detail = map[string]string{"unreadable": r.detail}
	}
	return Record{
		Tenant: r.tenant, N: r.n, ID: r.id, Time: time.UnixMilli(r.at).UTC().Format(timeForm),
		Action: r.action, Target: r.target, TargetEmail: r.targetPerson.email, Result: r.result, Decision: r.decision, Request: r.request,
		Actor:  RecordActor{r.actorKind, r.provider, r.issuer, r.actorID, r.actorUser, r.actor.email, r.actor.ip},
		Detail: detail,
		Erased: len(r.actorMark) > 0 && !r.actor.there || len(r.targetMark) > 0 && !r.targetPerson.there,
		Key:    r.keyID, Hash: hex.EncodeToString(r.hash),
	}
}

func details(text string) (map[string]string, error) {
	var d map[string]string
	err := json.Unmarshal([]byte(text), &d)
	return d, err
}
