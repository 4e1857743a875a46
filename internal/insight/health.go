package insight

import (
	"context"
	"time"

	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/request"
)

// Health is how the node is.
type Health struct {
	Node       NodeHealth   `json:"node"`
	Issuers    []Issuer     `json:"issuers"`
	MasterKeys []MasterKey  `json:"masterKeys"`
	Store      *StoreHealth `json:"store"` // null: nothing is stored
	Upstreams  []Upstream   `json:"upstreams"`
	Degraded   []string     `json:"degraded"` // what does not work although requests are served
}

// NodeHealth is the process.
type NodeHealth struct {
	Version     string    `json:"version"`
	Environment string    `json:"environment"`
	Generation  uint64    `json:"generation"`
	LoadedAt    time.Time `json:"loadedAt"`
	Time        time.Time `json:"time"`
}

// Issuer is one that has keys of its own, on a site.
type Issuer struct {
	Site      string     `json:"site"`
	Provider  string     `json:"provider"`
	Kind      string     `json:"kind"`
	Issuer    string     `json:"issuer,omitempty"` // "": any
	Keys      int        `json:"keys"`             // that can be used
	Ready     bool       `json:"ready"`            // tokens can be verified
	FetchedAt *time.Time `json:"fetchedAt"`        // of the keys in use; null: never
	ExpiresAt *time.Time `json:"expiresAt"`        // when they are too old to be used; null: never
	Error     string     `json:"error,omitempty"`  // why the last attempt failed, or the provider is off
	Alarms    int        `json:"alarms,omitempty"` // members of the set that publish a secret
}

// MasterKey is one that the store is sealed with, by its id.
type MasterKey struct {
	ID      string `json:"id"`
	Current bool   `json:"current"` // seals what is written now
}

// StoreHealth is the store. Without OK decisions that need it are refused.
type StoreHealth struct {
	Engine string `json:"engine"`
	OK     bool   `json:"ok"`
	LagMs  int64  `json:"lagMs"` // since its changes were read last; -1: never
}

func (s *Service) health(context.Context, *gateway.Call) (request.Reply, error) {
	f, now := told(s.d.Node.File), s.now()
	out := Health{
		Node:    NodeHealth{Version: f.Version, Environment: f.Environment, Generation: f.Generation, LoadedAt: f.LoadedAt, Time: now.UTC()},
		Issuers: s.issuers(), MasterKeys: s.masterKeys(), Upstreams: full(told(s.d.Node.Upstreams)), Degraded: full(told(s.d.Node.Degraded)),
	}
	if st := told(s.d.Node.Store); st != nil {
		out.Store = &StoreHealth{Engine: st.Engine, OK: st.Fresh, LagMs: -1}
		if !st.Read.IsZero() {
			out.Store.LagMs = max(0, now.Sub(st.Read).Milliseconds())
		}
	}
	return gateway.JSON(200, out), nil
}

// issuers are those of all sites. One that several sites trust stands with each.
func (s *Service) issuers() []Issuer {
	out := []Issuer{}
	s.sites(func(site *gateway.Site) {
		for _, p := range site.Identity.Providers() {
			if p.Off != "" {
				out = append(out, Issuer{Site: site.Name, Provider: p.Name, Kind: p.Kind, Error: p.Off})
				continue
			}
			for _, source := range p.Sources() {
				h := source.Keys.Health()
				out = append(out, Issuer{Site: site.Name, Provider: p.Name, Kind: p.Kind, Issuer: source.Issuer, Keys: h.Keys, Ready: h.Ready,
					FetchedAt: orNull(h.Fetched), ExpiresAt: orNull(h.Expires), Error: h.Err, Alarms: h.Alarms})
			}
		}
	})
	return out
}

// masterKeys are the ids of the listed ones, never a key.
func (s *Service) masterKeys() []MasterKey {
	out := []MasterKey{}
	if keys := told(s.d.Node.Keys); keys != nil {
		for _, id := range keys.IDs() {
			out = append(out, MasterKey{ID: id, Current: id == keys.First()})
		}
	}
	return out
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
