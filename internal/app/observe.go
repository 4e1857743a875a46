package app

import (
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/term"

	"github.com/portreeve/portreeve/internal/explain"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/keyset"
	"github.com/portreeve/portreeve/internal/server"
	"github.com/portreeve/portreeve/internal/server/std"
)

// openLog opens the log that the file asks for: JSON, or text on a terminal.
func openLog(l *Loaded, stderr io.Writer) (*slog.Logger, *logFile, error) {
	to, format := &logFile{stderr: stderr}, "json"
	if f, ok := stderr.(*os.File); ok && l.logPath() == "" && term.IsTerminal(int(f.Fd())) {
		format = "text"
	}
	if err := to.reopen(l.logPath()); err != nil {
		return nil, nil, err
	}
	if c := l.File.Log; c != nil && c.Format != "" {
		format = c.Format
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(to, nil)), to, nil
	}
	return slog.New(slog.NewJSONHandler(to, nil)), to, nil
}

// logPath is the file that takes the log, "" for standard error.
func (l *Loaded) logPath() string {
	if l.File.Log == nil || l.File.Log.File == "" {
		return ""
	}
	return l.abs(l.File.Log.File)
}

// record writes the access log, the metrics and the ring of refusals.
func (a *App) record(o *std.Outcome) {
	x := o.Exchange
	v := &x.View
	line := server.Access{Time: o.Arrival.Received, RequestID: v.ID, Method: o.Arrival.Method, Status: o.Status,
		Bytes: o.Bytes, Duration: o.End.Sub(o.Arrival.Received), Who: x.Stand.Who, Decision: o.Decision, Path: x.ShownPath()}
	if line.RequestID == "" {
		line.RequestID = o.Arrival.ID
	}
	if x.Site != nil {
		line.Site = x.Site.Name
	}
	if x.Entry != nil {
		line.Route = x.Entry.Text
	}
	client := v.Client
	if !client.IsValid() {
		client = o.Arrival.Peer.Addr()
	}
	if client.IsValid() {
		line.Client = client.String()
	}
	for _, p := range x.Repaired {
		line.Note += string(p) + "; "
		a.metrics.Repaired(string(p))
	}
	if x.AddressProblem != "" {
		line.Note += "the trusted proxy's header about the client is " + string(x.AddressProblem)
		a.metrics.AddressProblem(string(x.AddressProblem))
	}
	if o.Fault != nil {
		line.Reason, line.Err = o.Fault.Code, o.Fault.Err
	}
	log := a.accessLog()
	log.Write(&line)
	a.shipping.add(&line, log.Name(x.Stand.Who))
	a.metrics.Request(line.Site, o.Status, line.Duration, line.Reason)
	a.count(o)
	if o.Decision != "" {
		a.ring.Add(explain.Record{ID: o.Decision, Time: o.End, Site: line.Site, Route: line.Route, Method: line.Method,
			Path: line.Path, Status: o.Status, Reason: line.Reason, Client: client, Principal: log.Name(x.Stand.Who), Tenant: tenantOf(x),
			UserID: userOf(x), KeyID: keyOf(x), RequestID: line.RequestID, Steps: o.Steps})
	}
}

// tenantOf is whose auditors are told of a refusal: the caller's tenant, as far as
// the decision knew it, and for nobody the site's.
func tenantOf(x *gateway.Exchange) string {
	switch {
	case x.Stand.Tenant != "":
		return x.Stand.Tenant
	case x.Known != nil && x.Known.Tenant != "": // refused whatever it asks
		return x.Known.Tenant
	case x.Stand.Who.Authenticated() || x.Site == nil:
		return ""
	case x.Site.Tenant != "":
		return x.Site.Tenant
	}
	return x.Snap.Tenants.Default()
}

// userOf is the users row of whoever was refused; "" where there is none, or nobody
// got to know it.
func userOf(x *gateway.Exchange) string {
	if x.Stand.UserID == "" && x.Known != nil {
		return x.Known.UserID
	}
	return x.Stand.UserID
}

// keyOf is the key or machine token that was shown; "" where none was.
func keyOf(x *gateway.Exchange) string {
	if x.Stand.Who == nil {
		return ""
	}
	return x.Stand.Who.CredentialID
}

// accessLog is the access log as the configuration in service wants it.
func (a *App) accessLog() server.AccessLog {
	out, c := a.access, a.current.Load().File.Log
	out.Mail = c != nil && c.User == "email"
	return out
}

// keyHealth lists the state of every key set in service.
func (a *App) keyHealth() []keyset.Health {
	var out []keyset.Health
	for _, s := range a.current.Load().KeySets {
		out = append(out, s.Health())
	}
	return out
}

// notReady says why the process should get no traffic.
func (a *App) notReady(s *server.Server) func() []string {
	return func() []string {
		if s.Draining() {
			return []string{"the process is stopping"}
		}
		return nil
	}
}

// degraded says what does not work although requests are served.
func (a *App) degraded() []string {
	var out []string
	for _, h := range a.keyHealth() {
		if !h.Ready {
			out = append(out, "the keys of "+h.Name+" were not reached yet, so its tokens get 503"+because(h.Err))
		} else if h.Err != "" {
			out = append(out, "the keys of "+h.Name+" could not be refreshed; those of "+h.Fetched.UTC().Format(time.RFC3339)+" are used"+because(h.Err))
		}
	}
	for _, u := range a.upstreamHealth() {
		if !u.Healthy {
			out = append(out, "no member of the upstream "+u.Upstream+" is healthy")
		}
	}
	out = append(out, a.storeProblem()...)
	g := a.current.Load()
	if g.auto != nil {
		for _, host := range g.auto.Missing() {
			out = append(out, "there is no certificate for "+host+" yet")
		}
	}
	out = append(out, g.Off...)
	if text := a.lastError.Load(); text != nil {
		out = append(out, "the last reload failed; an older configuration is in service")
	}
	slices.Sort(out)
	return out
}

// because adds a reason where there is one: before the first fetch has ended
// there is none.
func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// state is what GET /state of the admin listener answers.
func (a *App) state() any {
	g := a.current.Load()
	st := map[string]any{
		"version": version, "environment": g.Env, "file": g.Path, "generation": strconv.FormatUint(g.number, 10),
		"since": g.since.UTC().Format(time.RFC3339), "keySets": a.keyHealth(), "upstreams": full(a.upstreamHealth()), "degraded": full(a.degraded()),
		"parked": a.gate.Lot.Stats(), "limits": map[string]int{"keys": a.gate.Limits.Len()},
	}
	if h := a.storeHealth(); h != nil {
		st["store"] = h
	}
	if text := a.lastError.Load(); text != nil {
		st["lastReloadError"] = *text
	}
	return st
}

// unproxied notes that a trusted proxy's connection began without the PROXY
// header that the configuration asks for, at most once a minute in words: the
// proxy is set up otherwise than the file says, and every connection ends so.
func (a *App) unproxied(peer netip.Addr, why error) {
	a.metrics.AddressProblem("no PROXY header")
	now := a.now().UnixNano()
	if last := a.complained.Load(); now-last >= int64(time.Minute) && a.complained.CompareAndSwap(last, now) {
		a.log.Warn("connection closed: it began without the PROXY header that trustedProxies asks of this peer", "peer", peer.String(), "error", why.Error())
	}
}
