package gateway

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/template"
)

func (b *builder) forwarding(c *UpstreamConfig, identify bool, r *config.Reporter) *Forwarding {
	to := &Forwarding{AccessHeaders: c.AccessHeaders, Assertion: c.Assertion, PassCredential: c.PassCredential, MaxBody: int64(c.MaxBody)}
	list := b.members(c, r)
	if list == nil {
		return to
	}
	checkGroup(c, list, r)
	to.Base, to.Audience = list[0].base, audience(c, list, r)
	to.Upstream, to.Server = b.upstreamKey(list, c, r), serversOf(list)
	to.Set = b.headerTemplates(c.Headers.Set, upstreamSources, r.At("headers.set"))
	to.Secrets, to.needed = secretKeys(to.Set)
	to.Remove = map[string]bool{}
	for _, name := range c.Headers.Remove {
		to.Remove[request.Fold(name)] = true
	}
	to.Strip, to.OwnCookies = b.strip(c.PassCredential || !identify), b.OwnCookies
	to.RequestTrailers = trailerNames(c, r)
	b.changedPath(to, c, r)
	return to
}

func upstreamURL(raw string, r *config.Reporter) *url.URL {
	if raw == "" {
		r.Errorf("", "an upstream needs a url, like http://127.0.0.1:9000")
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		r.Errorf("", "is no upstream URL; write http://host:port, with a base path if need be")
		return nil
	}
	if port := u.Port(); strings.HasSuffix(u.Host, ":") || port != "" && !portNumber(port) {
		r.Errorf("", "the port of an upstream URL is a number from 1 to 65535")
		return nil
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		r.Errorf("", "an upstream URL holds no user, query or fragment")
		return nil
	}
	t := request.ParseTarget("/"+strings.Trim(u.EscapedPath(), "/"), request.PathRules{}, nil)
	if p, bad := t.Refused(request.PathRules{}); bad {
		r.Errorf("", "the base path is not acceptable: %s", p)
		return nil
	}
	u.Path, u.RawPath = "", ""
	if s := t.Path.String(); s != "/" {
		u.Path, _ = url.PathUnescape(s)
		u.RawPath = s
	}
	return u
}

func portNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// serverOf says which server a URL leads to, in one spelling: port written out,
// this machine under one name. Scheme and time-outs make no other server of it.
func serverOf(u *url.URL) string {
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap().WithZone("")
		if host = ip.String(); ip.IsLoopback() {
			host = "localhost"
		}
	}
	return net.JoinHostPort(host, port)
}

// strip is what clients may not send to upstreams of this site: one list for all
// routes that leave the credential, one for all others.
func (b *builder) strip(leaveCredentials bool) *Strip {
	if b.strips[leaveCredentials] == nil {
		b.strips[leaveCredentials] = b.newStrip(leaveCredentials)
	}
	return b.strips[leaveCredentials]
}

func (b *builder) newStrip(leaveCredentials bool) *Strip {
	headers := slices.Clone(b.IdentityHeaders)
	for _, name := range b.setters { // where the caller's own credential is left, it is left
		if !leaveCredentials || !strings.EqualFold(name, "Authorization") {
			headers = append(headers, name)
		}
	}
	cookies := slices.Clone(b.OwnCookies)
	if !leaveCredentials && b.Identity != nil && !b.NoAuth {
		headers = append(headers, b.Identity.CredentialHeaders()...)
		cookies = append(cookies, b.Identity.CredentialCookies()...)
	}
	return NewStrip(headers, cookies)
}

func (b *builder) changedPath(to *Forwarding, c *UpstreamConfig, r *config.Reporter) {
	if c.StripPrefix != "" && c.Rewrite != nil {
		r.Errorf("rewrite", "stripPrefix and rewrite exclude each other")
	}
	if c.StripPrefix != "" {
		p, err := ParsePattern(c.StripPrefix)
		if err != nil {
			r.Errorf("stripPrefix", "%v", err)
			return
		}
		for _, piece := range p.pieces {
			if piece.kind != literal {
				r.Errorf("stripPrefix", "holds plain segments only")
				return
			}
			if piece.value != "" {
				to.StripPrefix = append(to.StripPrefix, piece.value)
			}
		}
	}
	if c.Rewrite != nil {
		t, err := template.CompilePath(*c.Rewrite, urlSources)
		if err != nil {
			r.Errorf("rewrite", "%v", err)
			return
		}
		if strings.ContainsAny(outsideTemplates(c.Rewrite.String()), "?#") {
			r.Errorf("rewrite", "is a path alone; the query goes on as the client sent it")
			return
		}
		to.Rewrite = t
	}
}

// outsideTemplates is a text without its {{…}}, whose "?" is no query.
func outsideTemplates(s string) string {
	out := ""
	for {
		before, rest, found := strings.Cut(s, "{{")
		out += before
		_, after, closed := strings.Cut(rest, "}}")
		if !found || !closed {
			return out
		}
		s = after
	}
}
