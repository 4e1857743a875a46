package mailcheck

import (
	"context"
	"errors"
	"net"
)

// ask asks the name system about a domain.
func (c *Checker) ask(ctx context.Context, domain string) string {
	mx, err := c.o.Resolver.LookupMX(ctx, domain+".") // the dot keeps search lists out
	switch {
	case len(mx) > 0: // net.Resolver reports records beside ones that it cannot use
		return ofMX(mx)
	case err != nil && !notFound(err):
		return Unknown
	}
	ips, err := c.o.Resolver.LookupNetIP(ctx, "ip", domain+".")
	switch {
	case len(ips) > 0:
		return ""
	case err != nil && !notFound(err):
		return Unknown
	}
	// net does not tell a domain without such records from none at all. One with name
	// servers is there; a name below one that has nothing else is nobody's for mail.
	ns, err := c.o.Resolver.LookupNS(ctx, domain+".")
	switch {
	case len(ns) > 0:
		return NoMX
	case err != nil && !notFound(err):
		return Unknown
	}
	return Domain
}

// ofMX is what MX records say. One with an empty name says that there is no mail
// (RFC 7505); beside others it says nothing.
func ofMX(mx []*net.MX) string {
	for _, m := range mx {
		if m != nil && m.Host != "." && m.Host != "" {
			return ""
		}
	}
	return NoMX
}

// notFound reports whether the name system said that there is nothing, rather than
// nothing at all.
func notFound(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound && !d.IsTimeout
}
