package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/identity"
	"github.com/portreeve/portreeve/internal/rbac"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// HostOptions are the surroundings of a command on the host.
type HostOptions struct {
	Who string    // the account of the operating system, for the audit trail
	Log io.Writer // what the store has to tell
	// Now is the clock; nil: time.Now. The demo lives through a fortnight by it.
	Now func() time.Time
}

// Host is the store in the hands of who sits at the machine, which may be served
// by another process meanwhile: that one takes changes up by itself.
type Host struct {
	*Stored
	*Loaded
	built *Built
	who   string
}

// OpenHost reads the configuration and opens its store, whether or not anything
// of the file uses it.
func OpenHost(ctx context.Context, src Source, o HostOptions) (*Host, error) {
	l, err := Load(src)
	if err != nil {
		return nil, err
	}
	if l.File.Store == nil {
		l.File.Store = &StoreConfig{} // as if it were written: this command uses it
	}
	b := build(l, Deps{Memory: identity.NewMemory(1), Serves: true})
	if b.Doc.Failed() {
		return nil, &ConfigError{b.Doc.Problems()}
	}
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := openStored(ctx, l, openWith{Now: o.Now, Log: log})
	if err != nil {
		return nil, err
	}
	s.live.Store(b)
	if err := s.Tenants.Ensure(ctx, b.Tenants...); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return &Host{Stored: s, Loaded: l, built: b, who: o.Who}, nil
}

// Close ends the work on the store.
func (h *Host) Close() error { return h.close() }

// DefaultTenant is the tenant that is meant where none is named.
func (h *Host) DefaultTenant() string { return h.built.Snapshot.Tenants.Default() }

// Actor is who sits at the machine.
func (h *Host) Actor() audit.Actor { return audit.Actor{Kind: audit.Host, ID: h.who} }

// By is the host for the rules of tenants and users.
func (h *Host) By() tenant.By {
	return tenant.By{Actor: h.Actor(), Host: true, Grants: h.Roles.Grants(rbac.OfHost())}
}

// Caller is the host for the rules of roles.
func (h *Host) Caller() rbac.Caller { return rbac.Caller{Actor: h.Actor(), Right: rbac.OfHost()} }

// KeyBy is the host for the rules of keys.
func (h *Host) KeyBy() apikey.By { return apikey.By{Actor: h.Actor(), Host: true} }

// Export is everything that is stored about a tenant and may leave the store.
func (h *Host) Export(ctx context.Context, id string) (tenant.Export, error) {
	return h.Tenants.Export(ctx, h.By(), id, h.parts()...)
}

// plainly is the cause of a fault, for who reads it at the machine.
func plainly(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Err != nil {
		return f.Err
	}
	return err
}

// CheckpointFile is where signed checkpoints are appended to; "" for the log
// alone.
func (h *Host) CheckpointFile() string {
	if a := h.File.Audit; a != nil && a.Checkpoint != "" {
		return h.abs(a.Checkpoint)
	}
	return ""
}

// ExportAudit writes events, and leaves one of having done so.
func (h *Host) ExportAudit(ctx context.Context, to io.Writer, s audit.Scope, from, before time.Time) (int64, error) {
	e := audit.Event{Tenant: s.Tenant, Action: "audit.exported", Actor: h.Actor()}
	if err := h.DB.Tx(ctx, func(tx *store.Tx) error { return h.Audit.Append(tx, e) }); err != nil {
		return 0, err
	}
	return h.Audit.Export(ctx, to, s, from, before)
}
