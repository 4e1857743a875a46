package actions

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// Auth0's bounds of an Action's secrets.
const (
	maxSecrets     = 30
	maxSecretName  = 128
	maxSecretValue = 4096
)

// Config is which Actions run beside a login.
type Config struct {
	// PostLogin run after the provider accepted a login, in this order.
	PostLogin config.List[Entry] `json:"postLogin"`
	// PreUserRegistration run before a registration goes to the provider, in this order.
	PreUserRegistration config.List[Entry] `json:"preUserRegistration"`
	// Timeout is the wall limit of each: 5s unless set, at most 20s.
	Timeout *config.Duration `json:"timeout"`
}

// Entry is one Action.
type Entry struct {
	// File is the JavaScript as it deploys to Auth0; relative to the file that names it.
	File string `json:"file" conf:"required"`
	// Secrets are event.secrets.
	Secrets map[string]secret.Value `json:"secrets"`
	// Configuration is event.configuration.
	Configuration map[string]string `json:"configuration" conf:"sensitive"`
	// Egress lists the hosts that fetch may reach, exactly; none unless set.
	Egress config.List[string] `json:"egress"`
}

// DecodeConfig takes a file or the whole form.
func (e *Entry) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		v.DecodeAs("file", e)
		return
	}
	v.Decode(e)
}

// Shapes are what the schema shows.
func (Entry) Shapes() []any { return []any{"", Entry{}} }

// Validate reports what can be said without the files. plain is for test and
// dev, where egress may be http and a private address.
func (c *Config) Validate(r *config.Reporter, plain bool) {
	if c.Timeout != nil && (c.Timeout.Std() < 100*time.Millisecond || c.Timeout.Std() > longestTimeout) {
		r.Errorf("timeout", "must be from 100ms to %s", longestTimeout)
	}
	for _, l := range c.lists() {
		if len(l.entries) > maxScripts {
			r.Errorf(l.key, "has more than %d actions", maxScripts)
		}
		for i, e := range l.entries {
			e.validate(r.At(l.key).At(config.Index(i)), plain)
		}
	}
}

func (e *Entry) validate(r *config.Reporter, plain bool) {
	if len(e.Secrets) > maxSecrets || len(e.Configuration) > maxSecrets {
		r.Errorf("", "has more than %d secrets or settings", maxSecrets)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Secrets)) {
		if len(name) > maxSecretName || e.Secrets[name].Len() > maxSecretValue {
			r.At("secrets").Errorf(config.Key(name), "is longer than Auth0 takes: %d characters for a name, %d for a value", maxSecretName, maxSecretValue)
		}
	}
	if len(e.Egress) > maxOrigins {
		r.Errorf("egress", "has more than %d hosts", maxOrigins)
	}
	for i, entry := range e.Egress {
		if _, err := parseOrigin(entry, plain); err != nil {
			r.At("egress").Errorf(config.Index(i), "%v", err)
		}
	}
}

// Set are the scripts of a configuration, read.
type Set struct {
	PostLogin, PreUserRegistration []Script
}

// Load reads the files by read, and reports those that cannot be read, have a
// syntax error or export no handler. Nothing of them is run.
func (c *Config) Load(r *config.Reporter, read func(file string) ([]byte, error)) Set {
	var out Set
	if c == nil {
		return out
	}
	for _, l := range c.lists() {
		for i, e := range l.entries {
			s, ok := e.load(r.At(l.key).At(config.Index(i)), l.trigger, read)
			if c.Timeout != nil {
				s.Timeout = c.Timeout.Std()
			}
			switch {
			case !ok:
			case l.trigger == PostLogin:
				out.PostLogin = append(out.PostLogin, s)
			default:
				out.PreUserRegistration = append(out.PreUserRegistration, s)
			}
		}
	}
	return out
}

func (e *Entry) load(r *config.Reporter, t Trigger, read func(string) ([]byte, error)) (Script, bool) {
	if e.File == "" { // reported already
		return Script{}, false
	}
	src, err := read(e.File)
	if err != nil {
		r.Errorf("file", "names a file that cannot be read")
		return Script{}, false
	}
	s := Script{Name: scriptName(e.File), Source: string(src), Configuration: e.Configuration, Egress: e.Egress}
	if len(e.Secrets) > 0 {
		s.Secrets = map[string]string{}
		for name, value := range e.Secrets {
			s.Secrets[name] = value.Reveal()
		}
	}
	if err := Check(s, t); err != nil {
		r.Errorf("file", "%s: %v", s.Name, err)
		return Script{}, false
	}
	return s, true
}

// scriptName is a file's name as positions show it.
func scriptName(file string) string {
	name := file[strings.LastIndexAny(file, `/\`)+1:]
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-", r) {
			return r
		}
		return '_'
	}, name)
}

type entries struct {
	key     string
	trigger Trigger
	entries []Entry
}

func (c *Config) lists() []entries {
	return []entries{{"postLogin", PostLogin, c.PostLogin}, {"preUserRegistration", PreUserRegistration, c.PreUserRegistration}}
}
