package app

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/proxy"
	"github.com/portreeve/portreeve/internal/server"
)

// maxPEM bounds a file of certificates.
const maxPEM = 1 << 20

// upstreams makes the settings of every group, the files of its TLS included:
// a reload reads them anew, and refuses what is wrong with them.
func (b *builder) upstreams() {
	b.groups = map[string]proxy.GroupSettings{}
	for key, u := range b.Upstreams {
		b.groups[key] = b.group(u)
	}
}

func (b *builder) group(u gateway.UpstreamSettings) proxy.GroupSettings {
	c := u.Config
	set := proxy.GroupSettings{Retries: 1}
	for _, raw := range u.URLs {
		s, _, _, err := proxy.ParseURL(raw)
		if err != nil {
			u.At.Errorf("", "the URL %v", err)
			continue
		}
		s.ConnectTimeout, s.Timeout, s.IdleTimeout = c.ConnectTimeout.Std(), c.Timeout.Std(), c.IdleTimeout.Std()
		switch secure := s.Scheme == "https"; {
		case c.HTTP2 && secure:
			s.Protocol = proxy.HTTP2
		case c.H2C && !secure:
			s.Protocol = proxy.H2C
		}
		set.Members = append(set.Members, s)
	}
	if c.Retries != nil {
		set.Retries = *c.Retries
	}
	if c.Balance == "leastConnections" {
		set.Balance = proxy.LeastConnections
	}
	if h := c.HealthCheck; h != nil {
		set.Check = proxy.Check{Path: h.Path, Interval: h.Interval.Or(proxy.DefaultCheckInterval)}
	}
	if c.TLS != nil {
		set.TLS = b.clientTLS(u)
	}
	return set
}

// clientTLS reads what tls names. Each problem is reported once: routes that
// share an upstream share its settings.
func (b *builder) clientTLS(u gateway.UpstreamSettings) *proxy.ClientTLS {
	c, at := u.Config.TLS, u.At.At("tls")
	failed := false
	read := func(key, file string) []byte {
		if file == "" || strings.Contains(file, "-----BEGIN") { // reported already
			return nil
		}
		name := b.abs(file)
		if !slices.Contains(b.Files, name) {
			b.Files = append(b.Files, name)
		}
		info, err := os.Stat(name)
		if err == nil && info.Size() > maxPEM {
			failed = true
			at.Errorf(key, "is a file of more than 1MiB")
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil || len(raw) == 0 {
			failed = true
			at.Errorf(key, "names a file that cannot be read, or is empty")
		}
		return raw
	}
	ca, cert, key := read("ca", c.CA), read("cert", c.Cert), read("key", c.Key)
	if failed {
		return nil
	}
	t, err := proxy.NewClientTLS(ca, cert, key, c.ServerName)
	switch {
	case errors.Is(err, proxy.ErrCA):
		at.Errorf("ca", "%v", err)
	case err != nil:
		at.Errorf("cert", "%v", err)
	}
	return t
}

// upstreamHealth lists the state of every upstream in service, in the order of
// their labels.
func (a *App) upstreamHealth() []server.UpstreamHealth {
	g := a.current.Load()
	var out []server.UpstreamHealth
	for key, u := range g.Upstreams {
		if group := g.runtime.Upstreams[key]; group != nil {
			out = append(out, server.UpstreamHealth{Upstream: u.Label, GroupHealth: group.Health()})
		}
	}
	slices.SortStableFunc(out, func(x, y server.UpstreamHealth) int { return strings.Compare(x.Upstream, y.Upstream) })
	return out
}
