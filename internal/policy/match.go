package policy

import (
	"net/netip"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/principal"
)

// match is a compiled allow or deny: callers by e-mail, domain, group, address.
type match struct {
	emails, domains, groups map[string]bool
	networks                networks
	words                   string // what it lists, for people
}

// match compiles a list of callers; key is allow or deny.
func (l *loader) match(key string, c *MatchConfig) *match {
	if len(c.Emails)+len(c.EmailDomains)+len(c.Groups)+len(c.IPs) == 0 {
		l.errorf(key, "it names nobody: list emails, emailDomains, groups or ips, or remove the key")
	}
	m := &match{emails: map[string]bool{}, domains: map[string]bool{}, groups: map[string]bool{}}
	for i, e := range l.named(key+".emails", c.Emails) {
		folded, _, ok := principal.FoldEmail(e)
		if !ok {
			l.errorf(key+".emails"+config.Index(i), "not an e-mail address")
			continue
		}
		m.emails[folded] = true
	}
	for i, d := range l.named(key+".emailDomains", c.EmailDomains) {
		_, domain, ok := principal.FoldEmail("x@" + d)
		if !ok || strings.ContainsAny(domain, "*/:") {
			l.errorf(key+".emailDomains"+config.Index(i), "not a domain: write what follows the @, such as example.com")
			continue
		}
		m.domains[domain] = true
	}
	for _, g := range l.named(key+".groups", c.Groups) {
		m.groups[g] = true
	}
	for i, text := range l.named(key+".ips", c.IPs) {
		if problem := m.networks.add(text); problem != "" {
			l.errorf(key+".ips"+config.Index(i), "%s", problem)
		}
	}
	m.words = matchWords(c)
	return m
}

// named is a list as written, with its empty entries reported.
func (l *loader) named(key string, names []string) []string {
	l.list(key, names)
	return names
}

// meets reports whether a caller is listed, and by which entry.
func (m *match) meets(who *principal.Principal, client netip.Addr) (by string, ok bool) {
	switch {
	case who.EmailFolded != "" && who.EmailVerified && m.emails[who.EmailFolded]:
		return "e-mail", true
	case who.EmailDomain != "" && who.EmailVerified && m.domains[who.EmailDomain]:
		return "e-mail domain", true
	case m.networks.contain(client):
		return "client address", true
	}
	if len(m.groups) > 0 {
		for _, g := range who.Groups {
			if m.groups[g] {
				return "group", true
			}
		}
	}
	return "", false
}

// claims reports whether an address that nobody verified is listed, which is
// for deny alone: many issuers never say email_verified, and whoever claims
// another's address gains nothing by it there.
func (m *match) claims(who *principal.Principal) (by string, ok bool) {
	if who.EmailVerified || who.Email == "" || len(m.emails)+len(m.domains) == 0 {
		return "", false
	}
	folded, domain, ok := principal.FoldEmail(who.Email)
	switch {
	case ok && m.emails[folded]:
		return "e-mail", true
	case ok && m.domains[domain]:
		return "e-mail domain", true
	}
	return "", false
}

func matchWords(c *MatchConfig) string {
	var parts []string
	add := func(word string, names []string) {
		if len(names) > 0 {
			parts = append(parts, plural(word, names, oneOf))
		}
	}
	add("e-mail", c.Emails)
	add("e-mail domain", c.EmailDomains)
	add("group", c.Groups)
	if len(c.IPs) > 0 {
		parts = append(parts, "client address in "+oneOf(c.IPs))
	}
	return strings.Join(parts, ", or ")
}
