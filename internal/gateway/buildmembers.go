package gateway

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/request"
)

// Bounds of what a file can ask for.
const (
	maxMembers  = 256
	maxRetries  = 5
	leastChecks = time.Second // between two health checks
)

// member is one URL of an upstream.
type member struct {
	url    string // without the base: http://host:port, or unix:/path
	host   string // as assertions name it
	server string // one spelling of where it is
	base   string
}

// members reads the URLs of an upstream. nil: something is wrong with one, and
// reported.
func (b *builder) members(c *UpstreamConfig, r *config.Reporter) []member {
	list := []config.URL{c.URL}
	at := func(int) *config.Reporter { return r }
	switch {
	case c.URL != "" && len(c.URLs) > 0:
		r.Errorf("urls", "url and urls exclude each other")
	case len(c.URLs) > maxMembers:
		r.Errorf("urls", "are more than %d", maxMembers)
		return nil
	case len(c.URLs) > 0:
		list = c.URLs
		at = func(i int) *config.Reporter {
			if len(list) == 1 {
				return r.At("urls")
			}
			return r.At("urls" + config.Index(i))
		}
	}
	var out []member
	for i, raw := range list {
		m, ok := b.member(string(raw), at(i))
		switch {
		case !ok:
			return nil
		case slices.ContainsFunc(out, func(o member) bool { return o.server == m.server }):
			at(i).Errorf("", "stands twice")
			return nil
		case len(out) > 0 && out[0].base != m.base:
			at(i).Errorf("", "all URLs of an upstream have the same base path")
			return nil
		}
		out = append(out, m)
	}
	return out
}

func (b *builder) member(raw string, r *config.Reporter) (member, bool) {
	if file, ok := strings.CutPrefix(raw, "unix:"); ok {
		if file == "" || strings.HasPrefix(file, "//") || strings.ContainsRune(file, 0) {
			r.Errorf("", "names no socket; write unix:FILE")
			return member{}, false
		}
		if b.Abs != nil {
			file = b.Abs(file)
		}
		file = filepath.Clean(file)
		return member{url: "unix:" + file, host: raw, server: "unix:" + file}, true
	}
	u := upstreamURL(raw, r)
	if u == nil {
		return member{}, false
	}
	return member{url: u.Scheme + "://" + strings.ToLower(u.Host), host: u.Host, server: serverOf(u),
		base: strings.TrimSuffix(u.EscapedPath(), "/")}, true
}

// serversOf is where an upstream leads: its servers, in one order.
func serversOf(list []member) string {
	var out []string
	for _, m := range list {
		out = append(out, m.server)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// sameServer reports whether two upstreams have a server in common.
func sameServer(a, b string) bool {
	if a == b {
		return true
	}
	if !strings.Contains(a, " ") && !strings.Contains(b, " ") {
		return false
	}
	other := strings.Split(b, " ")
	return slices.ContainsFunc(strings.Split(a, " "), func(one string) bool { return slices.Contains(other, one) })
}

// checkGroup checks the keys about members.
func checkGroup(c *UpstreamConfig, list []member, r *config.Reporter) {
	switch c.Balance {
	case "", "roundRobin", "leastConnections":
	default:
		r.Errorf("balance", "%q is none of roundRobin, leastConnections", c.Balance)
	}
	if c.Retries != nil && (*c.Retries < 0 || *c.Retries > maxRetries) {
		r.Errorf("retries", "is a number from 0 to %d", maxRetries)
	}
	if h := c.HealthCheck; h != nil {
		path, query, has := strings.Cut(h.Path, "?")
		t := request.ParseTarget(path, request.PathRules{}, nil)
		if _, bad := t.Refused(request.PathRules{}); bad || t.Path.String() != path || has && !queryText(query) {
			r.Errorf("healthCheck.path", "is no path; write one like /healthz")
		}
		if r.Has("healthCheck.interval") && h.Interval.Std() < leastChecks {
			r.Errorf("healthCheck.interval", "is less than %s", leastChecks)
		}
	}
	checkProtocol(c, list, r)
	if c.TLS == nil {
		return
	}
	if !slices.ContainsFunc(list, func(m member) bool { return strings.HasPrefix(m.url, "https:") }) {
		r.Errorf("tls", "is for https: no URL of this upstream is one")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		r.Errorf("tls", "cert and key go together")
	}
	for key, file := range map[string]string{"ca": c.TLS.CA, "cert": c.TLS.Cert, "key": c.TLS.Key} {
		if strings.Contains(file, "-----BEGIN") {
			r.Errorf("tls."+key, "is the name of a file, not what is in it")
		}
	}
	if name := c.TLS.ServerName; name != "" {
		if _, ok := request.CanonicalHost(name); !ok || strings.Contains(name, ":") {
			r.Errorf("tls.serverName", "is no host name")
		}
	}
}

func queryText(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' })
}

// upstreamKey names an upstream by all that its transport depends on, so that
// routes share one and a reload keeps those that did not change.
func (b *builder) upstreamKey(list []member, c *UpstreamConfig, r *config.Reporter) string {
	var urls []string
	for _, m := range list {
		urls = append(urls, m.url)
	}
	key := fmt.Sprintf("%q %s %s %s %q", urls, c.Timeout, c.ConnectTimeout, c.IdleTimeout, c.Balance)
	if c.Retries != nil {
		key += fmt.Sprintf(" retries=%d", *c.Retries)
	}
	if c.HealthCheck != nil {
		key += fmt.Sprintf(" check=%q,%s", c.HealthCheck.Path, c.HealthCheck.Interval)
	}
	if c.TLS != nil {
		key += fmt.Sprintf(" tls=%q", []string{c.TLS.CA, c.TLS.Cert, c.TLS.Key, c.TLS.ServerName})
	}
	if c.HTTP2 || c.H2C {
		key += fmt.Sprintf(" http2=%t h2c=%t", c.HTTP2, c.H2C)
	}
	if _, ok := b.Upstreams[key]; !ok {
		label := c.Name
		if label == "" {
			label = r.Path()
		}
		b.Upstreams[key] = UpstreamSettings{Key: key, Label: label, URLs: urls, Config: c, At: r}
	}
	return key
}

// audience is what assertions are addressed to.
func audience(c *UpstreamConfig, list []member, r *config.Reporter) string {
	if c.Name != "" {
		return c.Name
	}
	var hosts []string
	for _, m := range list {
		hosts = append(hosts, m.host)
	}
	if c.Assertion && (len(list) > 1 || strings.HasPrefix(list[0].url, "unix:")) {
		r.Errorf("name", "assertions are addressed to an upstream's name: give one that has several URLs, or a socket, a name")
	}
	return strings.Join(hosts, ", ")
}
