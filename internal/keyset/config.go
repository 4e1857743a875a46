package keyset

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/portreeve/portreeve/internal/jws"
)

// Defaults and bounds.
const (
	DefaultRefresh = 10 * time.Minute
	DefaultMaxAge  = 24 * time.Hour
	RefetchEvery   = 30 * time.Second // at most one refetch on demand in this span

	exchangeTime = 10 * time.Second // one request with its answer
	maxRedirects = 3
	firstRetry   = 2 * time.Second // after a failure; doubles up to lastRetry
	lastRetry    = time.Minute
)

// Config says where the keys come from: the first of URL, Issuer, File and
// Static that is set.
type Config struct {
	Name   string     // for health and logs; default: the issuer, URL or file
	Issuer string     // OIDC discovery at Issuer + /.well-known/openid-configuration
	URL    string     // a JWK Set
	File   string     // a JWK Set on disk: read at New and every Refresh, never too old
	Static []*jws.Key // keys that never change

	AllowHTTP bool          // http URLs too: test and dev only
	Refresh   time.Duration // default 10 min
	MaxAge    time.Duration // default 24 h: older keys are not used
	Client    *http.Client  // its Transport is used; redirects and time are ours
	Now       func() time.Time
	Log       *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = firstOf(c.Issuer, c.URL, c.File, "static")
	}
	if c.Refresh <= 0 {
		c.Refresh = DefaultRefresh
	}
	if c.MaxAge <= 0 {
		c.MaxAge = DefaultMaxAge
	}
	if c.Client == nil {
		c.Client = &http.Client{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// remote reports whether the keys are fetched.
func (c Config) remote() bool { return c.URL != "" || c.Issuer != "" }

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
