package app

import (
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/secret"
)

// StoreConfig is where what is remembered lives.
type StoreConfig struct {
	// URL is sqlite:FILE or postgres://…; sqlite:portreeve.db unless written.
	URL config.URL `json:"url"`
	// Migrate auto brings the store up to this release at start, manual leaves that to portreeve migrate; auto unless written.
	Migrate string `json:"migrate"`
	// MaxStale is how long a node may go without having read the changes of the others: 5s unless written. Past that, decisions that need stored facts are refused with 503.
	MaxStale config.Duration `json:"maxStale"`
}

// DecodeConfig takes a URL or the whole form.
func (c *StoreConfig) DecodeConfig(v *config.Value) {
	if v.Kind() == config.Scalar {
		v.Decode(&c.URL)
		return
	}
	v.Decode(c)
}

// Shapes are what store takes.
func (StoreConfig) Shapes() []any { return []any{config.URL(""), StoreConfig{}} }

// MasterKeyConfig is one of several master keys.
type MasterKeyConfig struct {
	// ID names the key in sealed columns; made of the key unless written.
	ID string `json:"id"`
	// Key is 32 bytes in base64.
	Key secret.Value `json:"key" conf:"required"`
}

// AuditConfig is where the signed ends of the audit trail are written to besides
// the log: a trail that is cut short or written anew no longer fits them.
type AuditConfig struct {
	// Checkpoint is a file that a signed line is appended to, best kept where the store's administrator cannot write.
	Checkpoint string `json:"checkpoint"`
	// Every is how often, where anything has happened: 1h unless written, and at most that.
	Every config.Duration `json:"every"`
}

// APIKeyConfig is how API keys are read.
type APIKeyConfig struct {
	// Header is the header besides Authorization: Bearer that carries a key: x-api-key unless written.
	Header string `json:"header"`
}

// MachineConfig has no settings yet.
type MachineConfig struct{}

// TenantAPIConfig is the surface of tenants: users, roles, keys, secrets, usage.
type TenantAPIConfig struct {
	off bool
}

// DecodeConfig takes {} or false.
func (c *TenantAPIConfig) DecodeConfig(v *config.Value) {
	if on, is := v.Bool(); is {
		if c.off = !on; on {
			v.Errorf("takes {} (on) or false (off)")
		}
		return
	}
	v.Decode(c)
}

// Shapes are what tenantApi takes.
func (TenantAPIConfig) Shapes() []any { return []any{false, TenantAPIConfig{}} }
