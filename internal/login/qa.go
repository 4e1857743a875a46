package login

import (
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/principal"
)

// listed are the logins of testers.
type listed struct{ emails, domains []string }

// newListed folds the list; nil outside test and dev, whatever is written.
func newListed(c *QAConfig, env string) *listed {
	if c == nil || !relaxed(env) {
		return nil
	}
	l := &listed{}
	for _, e := range c.Emails {
		if folded, _, ok := principal.FoldEmail(e); ok {
			l.emails = append(l.emails, folded)
		}
	}
	for _, d := range c.Domains {
		if _, domain, ok := principal.FoldEmail("x@" + d); ok {
			l.domains = append(l.domains, domain)
		}
	}
	return l
}

// lists reports whether a folded address is a tester's.
func (l *listed) lists(email string) bool {
	if l == nil || email == "" {
		return false
	}
	_, domain, _ := strings.Cut(email, "@")
	return slices.Contains(l.emails, email) || slices.Contains(l.domains, domain)
}

// masked is an address as a log may have it.
func masked(email string) string {
	name, domain, _ := strings.Cut(email, "@")
	if name == "" {
		return "…"
	}
	return name[:1] + "…@" + domain
}
