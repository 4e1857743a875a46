package tenant

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/gateway"
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/limit"
	"github.com/portreeve/portreeve/internal/request"
)

// configView is what a tenant may read of its own settings.
type configView struct {
	RateLimit *limitView `json:"rateLimit"`
}

type limitView struct {
	WindowMs int64 `json:"windowMs"`
	Max      int   `json:"max"`
}

func (s *Service) readConfig(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	t, err := s.Tenant(ctx, c.Tenant)
	if err != nil {
		return request.Reply{}, err
	}
	var v configView
	if r := t.Settings.RateLimit; r != nil {
		v.RateLimit = &limitView{r.WindowMs, r.Max}
	}
	return gateway.JSON(200, v), nil
}

// writeConfig takes rateLimit alone (null removes it). The older system took
// routes and credentials here; tenants do not write those, and whoever tries is
// told so instead of being ignored.
func (s *Service) writeConfig(ctx context.Context, c *gateway.Call) (request.Reply, error) {
	members, err := input.Members(c.Body)
	if err != nil {
		return request.Reply{}, err
	}
	var f input.Fields
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if name != "rateLimit" {
			f.Add(name, "is not a tenant's to set: only rateLimit is")
		}
	}
	raw, ok := members["rateLimit"]
	f.Require("rateLimit", ok)
	var rule *limit.RuleConfig
	if ok {
		if rule, err = readLimit(raw, &f); err != nil {
			return request.Reply{}, err
		}
	}
	if err := f.Err(); err != nil {
		return request.Reply{}, err
	}
	if err := s.SetRateLimit(ctx, s.by(c), c.Tenant, rule); err != nil {
		return request.Reply{}, err
	}
	return gateway.JSON(200, map[string]any{"success": true, "message": "The settings are saved"}), nil
}

// readLimit reads {windowMs, max, by?} or null.
func readLimit(raw json.RawMessage, f *input.Fields) (*limit.RuleConfig, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	var b struct {
		WindowMs *int64  `json:"windowMs"`
		Max      *int    `json:"max"`
		By       *string `json:"by"`
	}
	if len(raw) == 0 || raw[0] != '{' {
		f.Add("rateLimit", "must be an object or null")
		return nil, nil
	}
	if err := input.JSON(raw, &b); err != nil {
		wrong := fault.From(err)
		for _, d := range wrong.Details {
			f.Add("rateLimit."+d.Field, d.Issue)
		}
		if len(wrong.Details) > 0 {
			err = nil
		}
		return nil, err
	}
	f.Require("rateLimit.windowMs", b.WindowMs != nil)
	f.Require("rateLimit.max", b.Max != nil)
	rule := &limit.RuleConfig{By: "tenant"}
	set(&rule.WindowMs, b.WindowMs)
	set(&rule.Max, b.Max)
	set(&rule.By, b.By)
	return rule, nil
}
