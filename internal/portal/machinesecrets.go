package portal

import (
	"net/url"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// heldSecret is what /v1/secrets tells of a secret: everything but itself.
type heldSecret struct {
	ID, Kind, Label, Kid, Format string

	Version    int
	Bound      bool
	CreatedAt  *time.Time
	LastReveal *struct {
		At     *time.Time
		UserID string
		Email  string
	}
}

// By is who revealed it last.
func (s heldSecret) By() string {
	if s.LastReveal.Email != "" {
		return s.LastReveal.Email
	}
	return "a user who is gone"
}

// secretGroup is the versions of one secret, the newest first.
type secretGroup struct {
	Kind, Label string
	Versions    []heldSecret
}

// Newest is the one that counts.
func (g secretGroup) Newest() heldSecret { return g.Versions[0] }

// Older are the ones before it.
func (g secretGroup) Older() []heldSecret { return g.Versions[1:] }

// secretList is the secrets of a machine as its reader may see them.
type secretList struct {
	Machine string // its id
	See     lock   // may list them
	Reveal  lock   // may have them handed out
	Groups  []secretGroup
	At      pagination
}

// secretsOf reads a page of the secrets of a machine.
func (v *visit) secretsOf(into *secretList, m machine, limit, offset int) error {
	into.Machine = m.ID
	if into.See = v.may("GET", "/v1/secrets"); !into.See.OK {
		return nil
	}
	into.Reveal = v.may("POST", "/v1/secrets/x/reveal")
	q := url.Values{"machine": {m.ID}, "limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
	var list listOf[heldSecret]
	if err := v.ask("GET", "/v1/secrets?"+q.Encode(), nil, &list); err != nil {
		return err
	}
	into.At = list.Pagination
	place := map[[2]string]int{}
	for _, s := range list.Data {
		key := [2]string{s.Kind, s.Label}
		n, there := place[key]
		if !there {
			n = len(into.Groups)
			place[key] = n
			into.Groups = append(into.Groups, secretGroup{Kind: s.Kind, Label: s.Label})
		}
		into.Groups[n].Versions = append(into.Groups[n].Versions, s)
	}
	return nil
}

// withReveal shows a page of secrets. Where its reader may have one handed out it
// comes with the script that asks for it and opens it.
func (v *visit) withReveal(list secretList, page, title string, data any) (request.Reply, error) {
	if list.Reveal.OK && len(list.Groups) > 0 {
		return v.withModule("reveal.js", page, title, data)
	}
	return v.show(page, title, data)
}

func showMachineSecrets(v *visit) (request.Reply, error) {
	var page struct {
		Machine machine
		Secrets secretList
		Pager   pager
	}
	if err := v.ask("GET", "/v1/machines/"+segment(v.param("id")), nil, &page.Machine); err != nil {
		return request.Reply{}, err
	}
	if err := v.secretsOf(&page.Secrets, page.Machine, rows, v.offset()); err != nil {
		return request.Reply{}, err
	}
	here := 0
	for _, g := range page.Secrets.Groups {
		here += len(g.Versions)
	}
	page.Pager = v.pager(page.Secrets.At, here)
	return v.withReveal(page.Secrets, "machine-secrets", "Secrets of "+page.Machine.Name(), page)
}
