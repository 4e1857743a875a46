package portal

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/request"
	"github.com/portreeve/portreeve/internal/store"
)

// Deps is what the portal needs.
type Deps struct {
	DB      *store.DB // nil where a configuration is only looked at
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// Portal makes the pages of all sites. It is safe for concurrent use.
type Portal struct {
	d     Deps
	look  *look
	files *assets
	sent  *once
}

// New parses the templates. They are part of the binary, so that an error is a
// mistake of ours.
func New(d Deps) (*Portal, error) {
	files, err := theAssets()
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	l, err := theLook()
	if err != nil {
		return nil, fmt.Errorf("portal: %w", err)
	}
	return &Portal{d: d, look: l, files: files, sent: newOnce(d)}, nil
}

// Place is the site that the portal stands on.
type Place struct {
	// Health says that nobody else answers /health there.
	Health bool
	// Collections are the names under which the surface agents serves things.
	Collections []string
}

// Routes lists the pages of a site. People alone read them: whoever is signed in
// by Access, a session or a token of a person.
func (p *Portal) Routes(c *Config, at Place) []gateway.SurfaceRoute {
	s := &site{Portal: p, collections: at.Collections}
	if c != nil {
		s.escrow = c.Escrow
	}
	out := slices.Concat(s.assets(), s.pages())
	if at.Health {
		out = append(out, gateway.SurfaceRoute{Method: "GET", Path: "/health", Anonymous: true, OtherSites: true,
			Op: gateway.Operation{Surface: surface, Name: "say that it is there", Run: p.health}})
	}
	return out
}

const (
	surface = "portal"
	// formBytes bounds what a form posts: the largest is a machine's configuration.
	formBytes = 1 << 20
)

// perMinute counts what one person does there.
func perMinute() *limit.RuleConfig {
	return &limit.RuleConfig{WindowMs: 60_000, Max: 600, By: "principal"}
}

// site is the portal of one site.
type site struct {
	*Portal
	escrow string // the origin that browsers call; "" is the site's own

	collections []string // of agents
}

// get is a page.
func (s *site) get(path, name string, run func(*visit) (request.Reply, error)) gateway.SurfaceRoute {
	return s.route("GET", path, name, 0, run)
}

// post takes a form. One that is sent twice is taken once.
func (s *site) post(path, name string, run func(*visit, *form) (request.Reply, error)) gateway.SurfaceRoute {
	return s.route("POST", path, name, formBytes, func(v *visit) (request.Reply, error) {
		f, err := readForm(v)
		if err != nil {
			return request.Reply{}, err
		}
		return s.sent.take(v, f, func() (request.Reply, error) {
			if err := v.stepUpBy(f); err != nil {
				return request.Reply{}, err
			}
			return run(v, f)
		})
	})
}

func (s *site) route(method, path, name string, body int64, run func(*visit) (request.Reply, error)) gateway.SurfaceRoute {
	return gateway.SurfaceRoute{Method: method, Path: path, Limit: perMinute(), LimitOf: surface,
		Op: gateway.Operation{Surface: surface, Name: name, MaxBody: body, HTML: true, Unlisted: true, People: true,
			Run: func(ctx context.Context, c *gateway.Call) (request.Reply, error) {
				if c.Who.Kind != principal.User {
					return request.Reply{}, fault.New(fault.Forbidden, "people_only", "The portal is for people; programs call the API")
				}
				v := &visit{ctx: ctx, c: c, s: s, zone: zoneOf(c.View)}
				reply, err := run(v)
				if err != nil {
					reply, err = v.refused(err)
				}
				reply.Header = append(reply.Header, v.cookies...)
				return reply, err
			}}}
}

func (p *Portal) health(context.Context, *gateway.Call) (request.Reply, error) {
	return gateway.JSON(200, struct {
		OK      bool   `json:"ok"`
		Version string `json:"version"`
	}{true, p.d.Version}), nil
}
