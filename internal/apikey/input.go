package apikey

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
)

// Draft is what somebody wants a key to be. In a change, members that are not
// set stay as they are.
type Draft struct {
	Name       input.Optional[string]           `json:"name"`
	Scopes     input.Optional[[]string]         `json:"scopes"`
	ExpiresAt  input.Optional[string]           `json:"expiresAt"` // RFC 3339; null: never
	AllowedIPs input.Optional[[]string]         `json:"allowedIPs"`
	RateLimit  input.Optional[limit.RuleConfig] `json:"rateLimit"`
	// Disabled and Enabled say the same thing from its two ends.
	Disabled input.Optional[bool] `json:"disabled"`
	Enabled  input.Optional[bool] `json:"enabled"`

	// Machine makes a machine token: a tok_, or with Key one in the format of keys.
	Machine bool `json:"-"`
	Key     bool `json:"-"`
}

const (
	maxName  = 100
	maxIPs   = 100
	maxYear  = 9999
	nameRule = "must be 1 to 100 characters, without control characters"
	timeRule = "must be a time in the future as RFC 3339 writes it, such as 2027-01-31T12:00:00Z, or null for never"
	ipRule   = "must be an address or a network without bits behind its prefix: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32"
)

// onto is the key with what the draft sets, checked by itself.
func (d Draft) onto(k Key, now time.Time, creating bool) (Key, error) {
	var f input.Fields
	d.name(&f, &k, creating)
	d.scopes(&f, &k, creating)
	d.expiry(&f, &k, now, creating)
	d.addresses(&f, &k)
	d.limit(&f, &k)
	d.disabled(&f, &k)
	if !creating && !d.changes() {
		f.Add("name", "set at least one of name, scopes, disabled, expiresAt, allowedIPs, rateLimit")
	}
	return k, f.Err()
}

func (d Draft) changes() bool {
	return d.Name.Set || d.Scopes.Set || d.ExpiresAt.Set || d.AllowedIPs.Set || d.RateLimit.Set || d.Disabled.Set || d.Enabled.Set
}

func (d Draft) name(f *input.Fields, k *Key, creating bool) {
	if !d.Name.Set {
		f.Require("name", !creating)
		return
	}
	k.Name = strings.TrimSpace(d.Name.Value)
	n := utf8.RuneCountInString(k.Name)
	if n < 1 || n > maxName || !utf8.ValidString(k.Name) || strings.ContainsFunc(k.Name, unicode.IsControl) {
		f.Add("name", nameRule)
	}
}

func (d Draft) scopes(f *input.Fields, k *Key, creating bool) {
	switch {
	case k.Machine:
		if d.Scopes.Set {
			f.Add("scopes", "a machine token holds "+machineScope+" and nothing else")
		}
		k.Scopes = []string{machineScope}
		return
	case !d.Scopes.Set:
		f.Require("scopes", !creating)
		return
	case len(d.Scopes.Value) == 0:
		f.Add("scopes", `must list at least one of "*" or resource:action`)
	case len(d.Scopes.Value) > maxScopes:
		f.Add("scopes", fmt.Sprintf("must be at most %d", maxScopes))
		return
	}
	for i, s := range d.Scopes.Value {
		if p := scopeProblem(s); p != "" {
			f.Add("scopes["+strconv.Itoa(i)+"]", p)
		}
	}
	k.Scopes = each(d.Scopes.Value)
}

func (d Draft) expiry(f *input.Fields, k *Key, now time.Time, creating bool) {
	switch {
	case d.ExpiresAt.Null:
		k.ExpiresAt = time.Time{}
	case d.ExpiresAt.Set:
		at, err := time.Parse(time.RFC3339, d.ExpiresAt.Value)
		if err != nil || !at.After(now) || at.UTC().Year() > maxYear {
			f.Add("expiresAt", timeRule)
			return
		}
		k.ExpiresAt = at.UTC().Truncate(time.Millisecond)
	case creating && !k.Machine:
		k.ExpiresAt = now.Add(standardLife)
	}
}

func (d Draft) addresses(f *input.Fields, k *Key) {
	if !d.AllowedIPs.Set {
		return
	}
	if len(d.AllowedIPs.Value) > maxIPs {
		f.Add("allowedIPs", fmt.Sprintf("must be at most %d", maxIPs))
		return
	}
	k.AllowedIPs = nil
	for i, text := range d.AllowedIPs.Value {
		p, ok := parseNetwork(text)
		if !ok {
			f.Add("allowedIPs["+strconv.Itoa(i)+"]", ipRule)
			continue
		}
		if !slices.Contains(k.AllowedIPs, p) {
			k.AllowedIPs = append(k.AllowedIPs, p)
		}
	}
}

// parseNetwork reads an address or a network. IPv4 in IPv6 clothes is IPv4.
func parseNetwork(s string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p, p == p.Masked()
}

// writeNetwork is the short way to write one: a single address without its length.
func writeNetwork(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func (d Draft) limit(f *input.Fields, k *Key) {
	if !d.RateLimit.Set {
		return
	}
	k.Limit = nil
	if d.RateLimit.Null {
		return
	}
	r := d.RateLimit.Value
	r.Wrong(func(field, issue string) { f.Add("rateLimit."+field, issue) })
	if r.By != "" && r.By != "key" {
		f.Add("rateLimit.by", `a key's own limit counts that key alone: leave it out, or write "key"`)
	}
	r.By = "key"
	k.Limit = &r
}

func (d Draft) disabled(f *input.Fields, k *Key) {
	for _, m := range []struct {
		name string
		is   input.Optional[bool]
	}{{"disabled", d.Disabled}, {"enabled", d.Enabled}} {
		if m.is.Null {
			f.Add(m.name, "must be true or false")
		}
	}
	if d.Disabled.Set && d.Enabled.Set && d.Disabled.Value == d.Enabled.Value {
		f.Add("enabled", "contradicts disabled")
	}
	switch {
	case d.Disabled.Set:
		k.Disabled = d.Disabled.Value
	case d.Enabled.Set:
		k.Disabled = !d.Enabled.Value
	}
}

// graceOf reads gracePeriodSeconds.
func graceOf(o input.Optional[int64]) (time.Duration, error) {
	if o.Value < 0 || o.Value > int64(maxGrace/time.Second) {
		return 0, input.Invalid("gracePeriodSeconds", fmt.Sprintf("must be from 0 to %d (30 days)", int64(maxGrace/time.Second)))
	}
	return time.Duration(o.Value) * time.Second, nil
}
