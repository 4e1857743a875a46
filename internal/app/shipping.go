package app

import (
	"context"
	"os"
	"reflect"
	"sync"

	"github.com/portreeve/portreeve/internal/datadog"
	"github.com/portreeve/portreeve/internal/server"
)

// shipping sends the access log to Datadog's intake while the configuration in
// service says so. What waits goes on over reloads that leave the settings alone;
// where they change, it goes by those that it was logged under.
type shipping struct {
	totals datadog.Totals

	mu   sync.RWMutex
	c    *datadog.Config
	to   *datadog.Shipper // nil: nothing is shipped
	stop context.CancelFunc
	runs sync.WaitGroup
}

// ship takes up what a configuration says.
func (a *App) ship(b *Built) {
	s := &a.shipping
	var c *datadog.Config
	if b.File.Log != nil && b.File.Log.Datadog.On() {
		c = b.File.Log.Datadog
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if reflect.DeepEqual(s.c, c) {
		return
	}
	if s.stop != nil {
		s.stop()
	}
	s.c, s.to, s.stop = c, nil, nil
	if c == nil {
		return
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // Datadog goes without
	}
	to, err := datadog.New(c, datadog.Options{Env: b.Env, Version: version, Host: host, Plain: b.Written != "prod", Refuse: a.kept.own.is, Totals: &s.totals, Log: a.log})
	if err != nil { // which checkFile has seen
		a.log.Error("the access log is not shipped", "error", err.Error())
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.to, s.stop = to, stop
	s.runs.Go(func() { to.Run(ctx) })
}

// close sends what is left, which takes five seconds at most.
func (s *shipping) close() {
	s.mu.Lock()
	if s.stop != nil {
		s.stop()
	}
	s.to = nil
	s.mu.Unlock()
	s.runs.Wait()
}

// add ships a line of the access log, as it stands there: without query, header
// value and body, and with user in place of the caller's name.
func (s *shipping) add(line *server.Access, user string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.to == nil {
		return
	}
	e := &datadog.Entry{Time: line.Time.Add(line.Duration), Status: "info", Message: line.Method + " " + line.Path, Client: line.Client, Took: line.Duration, User: user,
		HTTP: &datadog.HTTP{Method: line.Method, Path: line.Path, Status: line.Status, RequestID: line.RequestID, Bytes: line.Bytes},
		Own:  map[string]any{"site": line.Site, "route": line.Route, "action": "api_request", "resource": line.Route}}
	for key, value := range map[string]string{"decision": line.Decision, "reason": line.Reason, "note": line.Note} {
		if value != "" {
			e.Own[key] = value
		}
	}
	if line.Who.Authenticated() {
		e.Own["provider"] = line.Who.Provider
	}
	if line.Err != nil {
		e.Status, e.Error = "warn", line.Err.Error()
	}
	s.to.Add(e)
}

// figures are for /metrics; nil where nothing was ever shipped.
func (s *shipping) figures() *server.ShippingHealth {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h := &server.ShippingHealth{Sent: s.totals.Sent.Load(), Dropped: s.totals.Dropped.Load()}
	if s.to != nil {
		h.Queued = s.to.Queued()
	} else if h.Sent+h.Dropped == 0 {
		return nil
	}
	return h
}
