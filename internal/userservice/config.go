package userservice

import (
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

const (
	defaultTimeout = 800 * time.Millisecond
	longestTimeout = 30 * time.Second
	mostStatuses   = 20
)

// Config is the key userService.
type Config struct {
	// URL is where the service is.
	URL config.URL `json:"url" conf:"required"`
	// Signing is how calls are signed: a service that answers anybody would tell who has an account.
	Signing *Signing `json:"signing" conf:"required"`
	// Timeout is how long one call may take: 800ms unless set.
	Timeout config.Duration `json:"timeout"`
	// OnError is what counts for a sign-in while the service fails. There is no default.
	OnError string `json:"onError" conf:"required,oneof=allow|deny"`
	// Paths are joined to url.
	Paths Paths `json:"paths"`
	// Blocked may not sign in: blocked and closed unless set.
	Blocked []string `json:"blocked"`
	// Paused are unblocked before they sign in: paused unless set.
	Paused []string `json:"paused"`
}

// Signing is how requests are signed.
type Signing struct {
	// AWSSigV4 signs by AWS Signature Version 4.
	AWSSigV4 *SigV4 `json:"awsSigV4" conf:"required"`
}

// SigV4 is who signs, and for what.
type SigV4 struct {
	// Region is the AWS region, such as us-east-1.
	Region string `json:"region" conf:"required"`
	// Service is the name that the service is signed for, such as execute-api.
	Service string `json:"service" conf:"required"`
	// AccessKeyID is the id of the access key.
	AccessKeyID secret.Value `json:"accessKeyId" conf:"required"`
	// SecretAccessKey is the key itself.
	SecretAccessKey secret.Value `json:"secretAccessKey" conf:"required"`
}

// Paths are those of the three calls.
type Paths struct {
	// ByEmail finds a user: /users-by-email unless set.
	ByEmail string `json:"byEmail"`
	// Unblock ends a pause: /users/unblock unless set.
	Unblock string `json:"unblock"`
	// Create makes the record of a new user: /users unless set.
	Create string `json:"create"`
}

func (p Paths) orDefaults() Paths {
	for _, f := range []struct {
		path   *string
		unless string
	}{{&p.ByEmail, "/users-by-email"}, {&p.Unblock, "/users/unblock"}, {&p.Create, "/users"}} {
		if *f.path == "" {
			*f.path = f.unless
		}
	}
	return p
}

// Validate reports what the types cannot say.
func (c *Config) Validate(r *config.Reporter) {
	if r.Has("timeout") && (c.Timeout.Std() < 10*time.Millisecond || c.Timeout.Std() > longestTimeout) {
		r.Errorf("timeout", "must be from 10ms to %s", longestTimeout)
	}
	for key, path := range map[string]string{"byEmail": c.Paths.ByEmail, "unblock": c.Paths.Unblock, "create": c.Paths.Create} {
		if path != "" && (!strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#%\\ ") || strings.Contains(path, "//") || strings.Contains(path, "/.")) {
			r.At("paths").Errorf(key, "must be a plain path that begins with /")
		}
	}
	for key, list := range map[string][]string{"blocked": c.Blocked, "paused": c.Paused} {
		if len(list) > mostStatuses {
			r.Errorf(key, "must be at most %d", mostStatuses)
		}
	}
	for _, p := range c.Paused {
		for _, b := range c.Blocked {
			if strings.EqualFold(p, b) {
				r.Errorf("paused", "names what is blocked as well")
				return
			}
		}
	}
}
