package portal

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

func (s *site) configuration() []gateway.SurfaceRoute {
	return []gateway.SurfaceRoute{
		s.get("/configuration", "the configuration in service", showConfiguration),
		s.get("/configuration/file", "the configuration in service, as a file", sendConfiguration),
	}
}

// configurationPage is what this process runs by, and how what it needs does.
type configurationPage struct {
	LoadedAt, File, Environment, Version, Text string
	Generation                                 int64
	Warnings                                   []string
	Sites                                      []struct {
		Name, Owner, Tenant string
		Hosts, Surfaces     []string
		Providers           []struct {
			Name, Kind string
			Off        string
		}
		Routes int
	}
	Health healthPart
	Unwell string // why there is no Health
}

type healthPart struct {
	Issuers []struct {
		Site, Provider, Kind, Issuer, Error string
		Keys                                int
		Ready                               bool
		FetchedAt, ExpiresAt                *string
	}
	MasterKeys []struct {
		ID      string
		Current bool
	}
	Store *struct {
		Engine string
		OK     bool
	}
	Upstreams []struct {
		Upstream string
		Healthy  bool
		Members  []struct {
			URL, Error string
			Up         bool
		}
	}
	Degraded []string
}

const configurationAt = "/.portreeve/insight/configuration"

// sendConfiguration is the whole of what the page shows the beginning of: a
// configuration of ten thousand routes is a megabyte and more.
func sendConfiguration(v *visit) (request.Reply, error) {
	var p struct{ Text string }
	if err := v.ask("GET", configurationAt, nil, &p); err != nil {
		return request.Reply{}, err
	}
	return request.Reply{Status: 200, Body: []byte(p.Text), Header: append(request.Header{{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Disposition", Value: `attachment; filename="portreeve-in-service.yaml"`}}, v.s.headers()...)}, nil
}

func showConfiguration(v *visit) (request.Reply, error) {
	var p configurationPage
	if err := v.ask("GET", configurationAt, nil, &p); err != nil {
		return request.Reply{}, err
	}
	if err := v.ask("GET", "/.portreeve/insight/health", nil, &p.Health); err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			return request.Reply{}, err
		}
		p.Unwell = sentence(no.Fault.Text())
	}
	return v.show("configuration", "Configuration", p)
}

// plain is a value of JSON in a few words.
func plain(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case float64, bool:
		return fmt.Sprint(t)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}
