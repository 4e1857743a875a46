package sms

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

// Place is where the surface stands.
type Place struct {
	// Prod says that its caps hold.
	Prod bool
	// Plain lets the services' addresses be http.
	Plain bool
}

// surface is one configuration's.
type surface struct {
	s         *Service
	c         *Config
	rules     []rule
	dedupe    time.Duration
	keep      time.Duration
	twilio    *twilio
	turnstile *turnstile // nil: nobody is asked
}

const maxBody = 8 << 10

// Owner is the site's: sms takes all of it.
func Owner(c *Config) *gateway.Owner {
	return &gateway.Owner{Surface: "sms", Shape: Shape, ExactMethods: true, Headers: Headers(c)}
}

// Routes lists the operations:
//
//	OPTIONS  /{campaign}   a listed origin: 204
//	POST     /{campaign}   a listed origin: a text to a number
//	GET      /widget.js    anybody, where it is on
//
// One operation takes every path and method, since the path is not what decides
// what is refused first. c has been validated.
func (s *Service) Routes(c *Config, at Place) []gateway.SurfaceRoute {
	u := s.surface(c, at)
	var out []gateway.SurfaceRoute
	for _, path := range []string{"/", "/*"} {
		out = append(out, gateway.SurfaceRoute{Method: "any", Path: path, Anonymous: true, OtherSites: true, Limit: standard(),
			Op: gateway.Operation{Surface: "sms", Name: "text a link to the app", MaxBody: maxBody, Shape: Shape, Unlisted: true, Run: u.run}})
	}
	return out
}

func (s *Service) surface(c *Config, at Place) *surface {
	u := &surface{s: s, c: c, rules: c.rules(at), dedupe: time.Duration(c.DedupeMs) * time.Millisecond}
	u.keep = remember(u.rules, u.dedupe)
	client := func(base string, patience time.Duration) *outbound.Client {
		// A URL that is wrong was reported; without a client nothing is served.
		made, _ := outbound.New(outbound.Options{BaseURL: base, Plain: at.Plain, Timeout: patience, MaxAnswer: 256 << 10, Refuse: s.d.Refuse, Private: true})
		return made
	}
	u.twilio = &twilio{client: client(c.Twilio.BaseURL.String(), sendTime), c: &c.Twilio}
	if c.Turnstile != nil {
		u.turnstile = &turnstile{client: client(c.Turnstile.BaseURL.String(), checkTime), c: c.Turnstile, hosts: c.hostnames()}
	}
	return u
}

// standard is how often one address may call, where the site says nothing: it
// keeps whoever guesses from taking the site's turns, and costs no text.
func standard() *limit.RuleConfig { return &limit.RuleConfig{WindowMs: 60_000, Max: 600, By: "ip"} }

func (u *surface) run(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	switch c.View.Method {
	case "OPTIONS":
		if _, ok := u.c.listed(c.View); !ok {
			return request.Reply{}, ErrOrigin
		}
		return preflight(), nil
	case "POST":
		return u.post(ctx, c)
	case "GET", "HEAD":
		if u.c.Widget && c.View.Path.String() == "/widget.js" {
			return widget(c.View), nil
		}
	}
	return request.Reply{}, ErrMethod
}
