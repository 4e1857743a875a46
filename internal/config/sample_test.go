package config_test

import (
	"io/fs"
	"net/netip"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
	"github.com/portreeve/portreeve/internal/template"
)

// sample has every kind of field that the product's own types have.
type sample struct {
	Inherited
	Environment string                  `json:"environment,omitzero" conf:"oneof=prod|test|dev"`
	Listen      config.List[string]     `json:"listen,omitzero"`
	Access      *access                 `json:"access,omitzero"`
	JWT         *jwt                    `json:"jwt,omitzero"`
	RBAC        *rbac                   `json:"rbac,omitzero"`
	RateLimit   *rateLimit              `json:"rateLimit,omitzero"`
	Routes      []route                 `json:"routes,omitzero"`
	From        []netip.Prefix          `json:"from,omitzero"`
	Workers     int8                    `json:"workers,omitzero"`
	Port        uint16                  `json:"port,omitzero"`
	Share       float64                 `json:"share,omitzero"`
	Drain       config.Duration         `json:"drain,omitzero"`
	MaxBody     config.Size             `json:"maxBody,omitzero"`
	Store       config.URL              `json:"store,omitzero"`
	Watch       *bool                   `json:"watch,omitzero"`
	Extra       any                     `json:"extra,omitzero"`
	Keys        map[string]secret.Value `json:"keys,omitzero"`
	Odd         chan int                `json:"odd,omitzero"`
}

// Inherited is what every site may override.
type Inherited struct {
	// Cors opens the site to scripts of other origins.
	Cors *cors `json:"cors,omitzero"`
}

func (Inherited) LaterKeys() map[string]string {
	return map[string]string{"requireMfa": "second factors"}
}
func (sample) LaterKeys() map[string]string { return map[string]string{"tls": "TLS listeners"} }

type cors struct {
	Origins config.List[string] `json:"origins,omitzero" conf:"required"`
}

type access struct {
	TeamDomain string              `json:"teamDomain,omitzero" conf:"required,env=ACCESS_TEAM_DOMAIN"`
	Audience   config.List[string] `json:"audience,omitzero" conf:"required,env=ACCESS_AUD|CF_ACCESS_AUD"`
	Leeway     config.Duration     `json:"leeway,omitzero" conf:"default=60s"`
}

type jwt struct {
	Secret    secret.Value              `json:"secret,omitzero" conf:"env=JWT_SECRET,unless=secrets|publicKey"`
	Secrets   config.List[secret.Value] `json:"secrets,omitzero"`
	PublicKey string                    `json:"publicKey,omitzero"`
	Issuer    string                    `json:"issuer,omitzero"`
}

type rbac struct {
	Enabled bool   `json:"enabled" conf:"default=true"`
	Default string `json:"defaultRole,omitzero"`
}

type rateLimit struct {
	PerEndpoint map[string]rule `json:"perEndpoint,omitzero"`
}

type rule struct {
	WindowMs int64 `json:"windowMs,omitzero" conf:"required"`
	Max      int   `json:"max,omitzero"`
}

type route struct {
	Path        string              `json:"path,omitzero" conf:"required"`
	Method      config.List[string] `json:"method,omitzero" conf:"required,oneof=get|post|any"`
	RequireAuth bool                `json:"requireAuth,omitzero"`
	Permissions config.List[string] `json:"requiredPermissions,omitzero"`
	Data        *template.Tree      `json:"data,omitzero"`
	Response    *template.Text      `json:"response,omitzero"`
	Upstream    *upstream           `json:"upstream,omitzero"`
}

func (route) ForeignKeys() []string { return []string{"query", "cache"} }

// upstream is a URL, or a mapping.
type upstream struct {
	URL     config.URL      `json:"url,omitzero" conf:"required"`
	Timeout config.Duration `json:"timeout,omitzero" conf:"default=60s"`
}

func (u *upstream) DecodeConfig(v *config.Value) {
	if v.Kind() != config.Scalar {
		v.Decode(u)
		return
	}
	if v.DecodeAs("url", u) && u.URL == "http://reserved.invalid" {
		v.Errorf("this upstream is reserved")
	}
}

func (upstream) LaterKeys() map[string]string { return map[string]string{"retries": "retries"} }

// Shapes says what the schema cannot see behind DecodeConfig.
func (upstream) Shapes() []any { return []any{config.URL(""), upstream{}} }

// outside holds what variables and files bring. Every value carries the word
// OUTSIDE, which no problem may show; nor may one show hunter2, which the
// inputs use for what they write out.
var outside = map[string]string{
	"TEAM": "OUTSIDE.cloudflareaccess.com", "AUDS": "OUTSIDE-1, OUTSIDE-2,", "EMPTY": "",
	"JWT_SECRET": "OUTSIDE-jwt", "CF_ACCESS_AUD": "OUTSIDE-aud",
	"TRUE": "true", "NUMBER": "12", "SPAN": "90s", "WRONG": "OUTSIDE wrong",
	"TEMPLATE": "OUTSIDE {{auth.sub}} ${TEAM} {{env.TEAM}}", "PASSWORD": "OUTSIDE/p@ss w#rd%", "USER": "OUT:SIDE",
	"HOST": "OUTSIDE.example.com", "BASE": "https://OUTSIDE.example.com/base", "BAD_HOST": "OUTSIDE/evil",
	"PEM": `-----BEGIN KEY-----\nOUTSIDE\n-----END KEY-----`,
}

var outsideFiles = map[string]string{
	"/etc/portreeve/secret": "OUTSIDE file\n\n", "/etc/portreeve/template": "OUTSIDE {{auth.sub}}\n", "/run/secrets/crlf": "OUTSIDE\r\n",
}

func sampleOptions() config.Options {
	return config.Options{
		Name: "portreeve.yaml", Dir: "/etc/portreeve",
		Env: func(name string) (string, bool) { v, ok := outside[name]; return v, ok },
		ReadFile: func(path string) ([]byte, error) {
			switch v, ok := outsideFiles[path]; {
			case ok:
				return []byte(v), nil
			case path == "/etc/portreeve/denied":
				return nil, fs.ErrPermission
			}
			return nil, fs.ErrNotExist
		},
	}
}
