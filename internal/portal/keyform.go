package portal

import (
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/request"
)

// keyForm is what the page of a key that is made or changed is made of.
type keyForm struct {
	standing
	Allowed lock
	Key     *apiKey // the one that is changed; nil: a new one
	Scopes  choices
	IPs     string
	Expires string // a day
}

const (
	everyScope      = "*"
	everyScopeMeans = "everything but keys, users, roles, secrets, escrow and audit"
)

// keyForm fills a form for a key: with what was sent, else with what the key has.
func (v *visit) keyForm(f *form, k *apiKey) keyForm {
	out := keyForm{Key: k, Allowed: v.may("POST", apiKeys().api), Expires: v.c.Now.In(v.zone.Location).AddDate(1, 0, 0).Format(time.DateOnly)}
	var chosen []string
	if k != nil {
		out.Allowed, chosen, out.Expires = v.may("PATCH", apiKeys().at(k.ID)), k.Scopes, v.day(k.ExpiresAt)
		out.standing = f.since(k.tagged)
		for _, ip := range k.AllowedIPs {
			out.IPs += ip + "\n"
		}
	}
	if f != nil {
		chosen = f.chosen("scopes", "moreScopes")
	}
	out.Scopes = v.choices(chosen, everyScope, everyScopeMeans)
	if f != nil { // what was written stands where it was written
		f.values.Set("moreScopes", out.Scopes.More)
	}
	return out
}

// day is a moment's day as the reader's calendar has it; "" for never.
func (v *visit) day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.In(v.zone.Location).Format(time.DateOnly)
}

// lastDay reads the day on whose end something ends; nil for none.
func (v *visit) lastDay(f *form, field string) (at *time.Time, ok bool) {
	text := f.get(field)
	if text == "" {
		return nil, true
	}
	day, err := time.ParseInLocation(time.DateOnly, text, v.zone.Location)
	if err != nil {
		f.wrong(field, "must be a day, like 2027-01-31")
		return nil, false
	}
	end := day.AddDate(0, 0, 1).Add(-time.Second).UTC()
	return &end, true
}

func newKey(v *visit) (request.Reply, error) {
	return v.show("key-form", "Make an API key", v.keyForm(nil, nil))
}

func createKey(v *visit, f *form) (request.Reply, error) {
	again := func() (request.Reply, error) { return v.again(f, "key-form", "Make an API key", v.keyForm(f, nil)) }
	ends, ok := v.lastDay(f, "expires")
	if !ok {
		return again()
	}
	scopes := f.chosen("scopes", "moreScopes")
	in := map[string]any{"name": f.get("name"), "scopes": scopes, "allowedIPs": f.lines("allowedIPs"), "expiresAt": ends}
	var made madeKey
	if err := v.ask("POST", apiKeys().api, in, &made); err != nil {
		if f.namely(err, "scopes", scopes).namely(err, "allowedIPs", f.lines("allowedIPs")).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	return apiKeys().made(v, "Your new API key", made)
}

func editKey(v *visit) (request.Reply, error) {
	k, err := apiKeys().read(v)
	if err != nil {
		return request.Reply{}, err
	}
	return v.show("key-form", "Change "+k.Name, v.keyForm(nil, &k))
}

// keyEdit is what a form that changes a key is about.
func (v *visit) keyEdit(f *form) edit[apiKey] {
	id := v.param("id")
	return edit[apiKey]{one: "key", target: id, page: apiKeys().page(id), again: v.path(), list: "/keys",
		read: func() (apiKey, error) { return apiKeys().read(v) },
		fields: func(k apiKey) []compared {
			return []compared{f.typed("Name", "name", k.Name), {"Scopes", listed(k.Scopes), listed(f.chosen("scopes", "moreScopes"))},
				f.typed("Expires", "expires", v.day(k.ExpiresAt)), {"Addresses it may come from", listed(k.AllowedIPs), listed(f.lines("allowedIPs"))}}
		},
		changed: func(k apiKey) *time.Time { return &k.UpdatedAt },
		shown:   func(k apiKey) (string, string, any) { return "key-form", "Change " + k.Name, v.keyForm(f, &k) }}
}

func changeKey(v *visit, f *form) (request.Reply, error) {
	k, err := apiKeys().read(v)
	if err != nil {
		if reply, ok, err := v.keyEdit(f).meanwhile(v, f, err); ok {
			return reply, err
		}
		return request.Reply{}, err
	}
	again := func() (request.Reply, error) {
		return v.again(f, "key-form", "Change "+k.Name, v.keyForm(f, &k))
	}
	in, scopes := map[string]any{"name": f.get("name")}, f.chosen("scopes", "moreScopes")
	if !sameList(scopes, k.Scopes) { // what did not change is not judged anew
		in["scopes"] = scopes
	}
	if ips := f.lines("allowedIPs"); !sameList(ips, k.AllowedIPs) {
		in["allowedIPs"] = append([]string{}, ips...)
	}
	if f.get("expires") != v.day(k.ExpiresAt) {
		ends, ok := v.lastDay(f, "expires")
		if !ok {
			return again()
		}
		in["expiresAt"] = ends
	}
	if err := v.change(f, "PATCH", apiKeys().at(k.ID), in); err != nil {
		if reply, ok, err := v.keyEdit(f).meanwhile(v, f, err); ok {
			return reply, err
		}
		if f.namely(err, "scopes", scopes).namely(err, "allowedIPs", f.lines("allowedIPs")).problems(err, "expiresAt", "expires") {
			return again()
		}
		return request.Reply{}, err
	}
	return v.done(apiKeys().page(k.ID), "saved")
}

func sameList(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
