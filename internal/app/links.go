package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/session"
	"github.com/portreeve/portreeve/internal/tenant"
)

// linkSite is a site on which serve makes a one-time sign-in link.
type linkSite struct {
	site   string
	hosts  []string
	tenant string // the site's own; "": none
	link   DevLinkConfig
}

// makeLinks makes the one-time sign-in links that the configuration asks for, at
// start: they are good for ten minutes. A link that cannot be made keeps nobody
// else from being served.
func (a *App) makeLinks(ctx context.Context, addrs []net.Addr) error {
	g, s := a.current.Load(), a.storing.stored.Load()
	if a.options.SignInLink == nil || s == nil {
		return nil
	}
	var errs []error
	for _, l := range g.links {
		of := l.link.Tenant
		if of == "" {
			of = l.tenant
		}
		if of == "" {
			of = g.Snapshot.Tenants.Default()
		}
		url, err := s.Sessions.DevLink(ctx, session.LinkFor{
			By:     tenant.By{Actor: audit.Actor{Kind: audit.Host, ID: "serve"}, Host: true, Grants: s.Roles.Grants(rbac.OfHost())},
			Tenant: of, User: l.link.User, Roles: l.link.Roles, Site: l.site, Origin: g.origin(l, addrs),
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("for %s: %w", l.link.User, err))
			continue
		}
		a.options.SignInLink(l.link.User, url)
	}
	return errors.Join(errs...)
}

// origin is where a browser on this machine finds a site. Without TLS it is
// localhost, by whatever address of this machine: browsers keep a Secure cookie of
// a plain http origin for that name alone.
func (b *Built) origin(l linkSite, addrs []net.Addr) string {
	scheme, host, port := "http", "localhost", ""
	if b.TLS != nil {
		scheme = "https"
	}
	for _, a := range addrs {
		if t, ok := a.(*net.TCPAddr); ok {
			port = fmt.Sprint(t.Port)
			break
		}
	}
	for _, h := range l.hosts {
		if !strings.HasPrefix(h, "*.") {
			host = h
			break
		}
	}
	if port == "" || b.TLS != nil && port == "443" || b.TLS == nil && port == "80" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}
