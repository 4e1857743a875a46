package app

import (
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
)

// DefaultListen is where requests arrive unless the file says otherwise.
const DefaultListen = "127.0.0.1:8787"

// checkFile checks the keys of the top level that no other package owns.
func (b *builder) checkFile() {
	f := b.File
	for i, addr := range f.Listen {
		key := "listen"
		if len(f.Listen) > 1 {
			key += config.Index(i)
		}
		b.listener(key, addr)
	}
	if f.Probes != nil {
		if _, _, ok := splitAddress(f.Probes.Listen); !ok {
			b.root.Errorf("probes.listen", "is no address; write one like 127.0.0.1:9788")
		}
	}
	b.checkAdmin()
	b.checkStore()
	if f.Engine != "" && f.Engine != "std" {
		b.root.Errorf("engine", "%q is not in this release; std is", f.Engine)
	}
	if l := f.Log; l != nil {
		if l.User != "" && l.User != "email" && l.User != "digest" {
			b.root.Errorf("log.user", `"email" or "digest"`)
		}
		if l.Format != "" && l.Format != "json" && l.Format != "text" {
			b.root.Errorf("log.format", `"json" or "text"`)
		}
		if l.Datadog != nil {
			l.Datadog.Validate(b.root.At("log.datadog"), b.Written != "prod")
		}
	}
	if l := f.Limits; l != nil {
		for key, n := range map[string]int64{"headBytes": int64(l.HeadBytes), "headers": int64(l.Headers),
			"connectionsPerIP": int64(l.ConnectionsPerIP), "concurrent": int64(l.Concurrent)} {
			if n < 0 {
				b.root.Errorf("limits."+key, "is negative")
			}
		}
		if b.Doc.Has("limits.maxStreamAge") && l.MaxStreamAge <= 0 {
			b.root.Errorf("limits.maxStreamAge", "is not longer than nothing")
		}
		if l.HeadBytes > 1<<20 {
			b.root.Errorf("limits.headBytes", "is more than 1MiB: that much would be read from anybody")
		}
	}
}

// listener refuses a public address without TLS in prod.
func (b *builder) listener(key, addr string) {
	report := func(text string) {
		if b.ListenGiven {
			key, text = "", "--listen "+addr+": "+text
		}
		b.root.Errorf(key, "%s", text)
	}
	if file, ok := strings.CutPrefix(addr, "unix:"); ok {
		if file == "" {
			report("names no socket; write unix:FILE")
		}
		return
	}
	host, _, ok := splitAddress(addr)
	if !ok {
		report("is no address; write one like 127.0.0.1:8787, :8080 or unix:FILE")
		return
	}
	if b.Env == "prod" && !loopback(host) && len(b.File.TLS) == 0 && len(b.File.TrustedProxies) == 0 && !b.File.InsecurePlainHTTP {
		report("is public and without TLS: credentials would cross the network in the clear. Set tls: {cert, key}, put it behind a proxy that speaks HTTPS " +
			"and name that in trustedProxies, listen on loopback, or say insecurePlainHTTP: true")
	}
}

func splitAddress(addr string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return "", "", false
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return "", "", false
	}
	return host, port, true
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (b *builder) checkAdmin() {
	a := b.File.Admin
	if a == nil || strings.HasPrefix(a.Listen, "unix:") {
		return
	}
	host, _, ok := splitAddress(a.Listen)
	switch {
	case !ok:
		b.root.Errorf("admin.listen", "is no address; write unix:FILE, or one like 127.0.0.1:9787 together with a token")
	case !loopback(host):
		b.root.Errorf("admin.listen", "is not loopback: without TLS the admin listener stays on this machine")
	case a.Token.Len() < 32:
		b.root.Errorf("admin.token", "at least 32 characters are needed on TCP, on loopback too: openssl rand -base64 32")
	}
}

// abs makes a path of the file absolute: relative ones are relative to it.
func (l *Loaded) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.Dir, path)
}
