package sms

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/outbound"
)

const (
	maxList     = 100
	maxText     = 1600 // Twilio's: error 21617 says so of longer ones
	leastWindow = 1000
	mostWindow  = 30 * 24 * 3600 * 1000
	mostOfLimit = 1_000_000
)

// Validate reports what the types cannot say; r stands at the key sms.
func (c *Config) Validate(r *config.Reporter, at Place) {
	c.checkOrigins(r)
	c.checkRegions(r)
	c.checkCampaigns(r)
	c.Twilio.check(r.At("twilio"), at)
	c.Limits.check(r.At("limits"))
	if c.DedupeMs < 0 || c.DedupeMs > mostWindow {
		r.Errorf("dedupeMs", "must be from 0 (every request is sent) to %d (30 days)", int64(mostWindow))
	}
	if c.Turnstile != nil {
		c.Turnstile.check(r.At("turnstile"), at)
	}
	if c.capped(at) && len(c.caps()) > 0 {
		r.Warnf("limits", "an Origin proves nothing about a script, and there is no turnstile: in prod an address gets at most %d texts an hour, and all together %d a day; acceptAbuseRisk: true lifts that", capPerIP, capPerDay)
	}
}

func (c *Config) checkOrigins(r *config.Reporter) {
	if len(c.Origins) > maxList {
		r.Errorf("origins", "more than %d", maxList)
	}
	for i, o := range c.Origins {
		at := "origins" + config.Index(i)
		switch is := asBrowsersWrite(o); {
		case !gateway.IsOrigin(o):
			r.Errorf(at, "not an origin; write scheme and host alone, like https://example.com")
		case is != o:
			r.Errorf(at, "browsers write this origin %s", is)
		case slices.Contains(c.Origins[:i], o):
			r.Errorf(at, "stands twice")
		}
	}
}

// asBrowsersWrite is an origin as it stands in the field of that name: lower case,
// no port that its scheme implies (WHATWG URL, serialization of an origin).
func asBrowsersWrite(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "with xn-- in place of letters that are not ASCII"
	}
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}

func (c *Config) checkRegions(r *config.Reporter) {
	known := phonenumbers.GetSupportedRegions()
	for i, region := range c.Regions {
		at := "regions" + config.Index(i)
		switch {
		case !known[region]:
			r.Errorf(at, "%q is no country; write its two letters, like US", region)
		case slices.Contains(c.Regions[:i], region):
			r.Errorf(at, "%s stands twice", region)
		}
	}
}

func (c *Config) checkCampaigns(r *config.Reporter) {
	switch n := len(c.Campaigns); {
	case n == 0 && r.Has("campaigns"):
		r.Errorf("campaigns", "names no campaign; default is that of the path /")
	case n > maxList:
		r.Errorf("campaigns", "more than %d", maxList)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Campaigns)) {
		text, at := c.Campaigns[name], "campaigns."+config.Key(name)
		if strings.HasPrefix(config.Key(name), "[") {
			at = "campaigns" + config.Key(name)
		}
		if !campaignName(name) {
			r.Errorf(at, "a campaign is called by letters, digits, - and _, at most 64: it stands in a path, where a dot would end it")
		}
		switch n := utf8.RuneCountInString(text); {
		case strings.TrimSpace(text) == "":
			r.Errorf(at, "has no text")
		case n > maxText:
			r.Errorf(at, "has %d characters; a text has at most %d", n, maxText)
		case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }):
			r.Errorf(at, "holds a control character")
		}
	}
}

func campaignName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !plainLetter(r) && r != '-' && r != '_' })
}

func plainLetter(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func (c *TwilioConfig) check(r *config.Reporter, at Place) {
	for key, s := range map[string]struct{ sid, prefix string }{"accountSid": {c.AccountSid, "AC"}, "messagingServiceSid": {c.MessagingServiceSid, "MG"}} {
		rest, ok := strings.CutPrefix(s.sid, s.prefix)
		switch {
		case s.sid == "": // reported as missing
		case !ok || strings.ContainsFunc(rest, func(r rune) bool { return !plainLetter(r) }):
			r.Errorf(key, "is %s and 32 hexadecimal digits, as Twilio's console shows it", s.prefix)
		case len(rest) != 32 || strings.Trim(rest, "0123456789abcdefABCDEF") != "":
			r.Warnf(key, "is not %s and 32 hexadecimal digits; Twilio will refuse it", s.prefix)
		}
	}
	if token := c.AuthToken.Reveal(); strings.ContainsFunc(token, unicode.IsSpace) {
		r.Errorf("authToken", "holds white space")
	}
	checkBase(r, c.BaseURL, at)
}

func checkBase(r *config.Reporter, base config.URL, at Place) {
	if base == "" {
		return
	}
	if _, err := outbound.New(outbound.Options{BaseURL: base.String(), Plain: at.Plain}); err != nil {
		r.Errorf("baseURL", "%v", err)
	}
}

func (c *TurnstileConfig) check(r *config.Reporter, at Place) {
	for i, h := range c.Hostnames {
		if h == "" || h != strings.ToLower(h) || strings.ContainsAny(h, ":/ *") {
			r.Errorf("hostnames"+config.Index(i), "is no host name alone, in lower case, like www.example.com")
		}
	}
	if len(c.Action) > 32 || strings.ContainsFunc(c.Action, func(r rune) bool { return !plainLetter(r) && r != '-' && r != '_' }) {
		r.Errorf("action", "has at most 32 letters, digits, - and _")
	}
	checkBase(r, c.BaseURL, at)
}

func (c *LimitsConfig) check(r *config.Reporter) {
	for key, w := range map[string]*WindowConfig{"perNumber": c.PerNumber, "perIP": c.PerIP, "perPrefix": c.PerPrefix} {
		if w == nil {
			continue
		}
		if w.WindowMs < leastWindow || w.WindowMs > mostWindow {
			r.Errorf(key+".windowMs", "must be from %d to %d (30 days)", leastWindow, int64(mostWindow))
		}
		checkMax(r, key+".max", w.Max)
	}
	if c.PerDay != nil {
		checkMax(r, "perDay", *c.PerDay)
	}
}

func checkMax(r *config.Reporter, at string, n int) {
	if n < 1 || n > mostOfLimit {
		r.Errorf(at, "must be from 1 to %s", fmt.Sprint(mostOfLimit))
	}
}
