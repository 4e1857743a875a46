package escrow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

const (
	maxConfig     = 256 << 10
	maxConfigName = 63
)

// Match says for which machines a configuration is. Both have to hold; the empty
// Match is all machines.
type Match struct {
	Machine string `json:"machine,omitempty"` // id, serial or hostname
	Group   string `json:"group,omitempty"`
}

// rank orders matches, the most specific last.
func (m Match) rank() int {
	n := 0
	if m.Machine != "" {
		n += 2
	}
	if m.Group != "" {
		n++
	}
	return n
}

// MachineConfig is one version of a configuration.
type MachineConfig struct {
	Name      string
	Version   int
	Match     Match
	Disabled  bool
	Config    json.RawMessage
	CreatedAt time.Time
}

// etag is strong: it is of the very version and its text.
func (c MachineConfig) etag() string {
	return `"` + digest("config", c.Name, strconv.Itoa(c.Version), string(c.Config))[:32] + `"`
}

// configBody is what the posts of configurations take.
type configBody struct {
	Name     string          `json:"name"`
	Match    Match           `json:"match"`
	Config   json.RawMessage `json:"config"`
	Disabled bool            `json:"disabled"`
	// Version is the one that this one was made from; not compared where it is absent.
	Version *int `json:"version"`
}

// readConfig checks a configuration; name is that of the path, "" for a new one.
func readConfig(body []byte, name string) (c MachineConfig, base *int, err error) {
	var b configBody
	if err := input.JSON(body, &b); err != nil {
		return c, nil, err
	}
	var f input.Fields
	switch {
	case name == "":
		name = b.Name
	case b.Name != "" && b.Name != name:
		f.Add("name", "is another one than the path's")
	}
	if !named(name) {
		f.Add("name", "is required: lower-case letters, digits, ., _ and -, at most 63, beginning with a letter or digit")
	}
	if !line(b.Match.Machine, 0, maxHostname) {
		f.Add("match.machine", "must be a machine's id, serial or hostname")
	}
	if !line(b.Match.Group, 0, maxGroup) {
		f.Add("match.group", "must be one line of at most 64 characters")
	}
	var compact bytes.Buffer
	if len(b.Config) == 0 || string(b.Config) == "null" || json.Compact(&compact, b.Config) != nil {
		f.Add("config", "is required: JSON")
	}
	if err := f.Err(); err != nil {
		return c, nil, err
	}
	if compact.Len() > maxConfig {
		return c, nil, ErrConfigTooLong
	}
	return MachineConfig{Name: name, Match: b.Match, Disabled: b.Disabled, Config: compact.Bytes()}, b.Version, nil
}

// named reports whether a text can be the name of a configuration.
func named(s string) bool {
	for i := range len(s) {
		c := s[i]
		word := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !word && (i == 0 || c != '-' && c != '_' && c != '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxConfigName
}

// CreateConfig keeps a configuration of a new name.
func (s *Service) CreateConfig(ctx context.Context, p Person, c MachineConfig) (MachineConfig, error) {
	return s.keepConfig(ctx, p, c, func(tx *store.Tx) (int, error) {
		switch _, err := selectConfig(tx, p.Tenant, c.Name); {
		case err == nil:
			return 0, ErrNameTaken
		case !errors.Is(err, ErrNotFound):
			return 0, err
		}
		n, err := count(tx, `SELECT COUNT(*) FROM machine_configs WHERE tenant_id = $1 AND latest = 1`, p.Tenant)
		if err == nil && n >= mostConfigs {
			err = ErrFull
		}
		return 0, err
	})
}

// ChangeConfig keeps a further version of a configuration. base, where it is set,
// must still be the latest, and so must the one that is asked for by its tag.
func (s *Service) ChangeConfig(ctx context.Context, p Person, c MachineConfig, base *int, asked input.Match) (MachineConfig, error) {
	return s.keepConfig(ctx, p, c, func(tx *store.Tx) (int, error) {
		was, err := selectConfig(tx, p.Tenant, c.Name)
		switch {
		case err != nil:
			return 0, err
		case base != nil && *base != was.Version:
			return 0, ErrVersionMoved
		case was.Version >= mostVersions:
			return 0, ErrFull
		}
		return was.Version, asked.Is(was.etag())
	})
}

// keepConfig keeps a version; before is the rule that says which one it follows.
func (s *Service) keepConfig(ctx context.Context, p Person, c MachineConfig, before func(tx *store.Tx) (int, error)) (MachineConfig, error) {
	err := s.turn(ctx, p.Tenant, func(tx *store.Tx) error {
		if err := s.may(tx, p, setConfigs); err != nil {
			return err
		}
		last, err := before(tx)
		if err != nil {
			return err
		}
		c.Version, c.CreatedAt = last+1, s.now()
		if !c.Disabled {
			all, err := liveConfigs(tx, p.Tenant)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(all, func(o MachineConfig) bool {
				return o.Name != c.Name && foldHost(o.Match.Machine) == foldHost(c.Match.Machine) && o.Match.Group == c.Match.Group
			}) {
				return ErrMatchTaken
			}
		}
		if err := insertConfig(tx, p.Tenant, c); err != nil {
			return err
		}
		return s.note(tx, p.By, "machine_config.changed", c.Name, map[string]string{"version": strconv.Itoa(c.Version),
			"machine": c.Match.Machine, "group": c.Match.Group, "disabled": strconv.FormatBool(c.Disabled), "digest": c.etag()})
	})
	return c, err
}

// ConfigFor is the configuration of the machine that is called so: the one with
// the most specific match. Of two that are equally specific, since they name one
// machine by different names, it is the later one. No machine is made.
func (s *Service) ConfigFor(ctx context.Context, tenantID, name, group string) (c MachineConfig, err error) {
	err = s.d.DB.Read(ctx, func(tx *store.Tx) error {
		names := []string{name}
		m, err := find(tx, tenantID, MachineRef{ID: name, Serial: name, Hostname: name})
		switch {
		case err == nil:
			names = []string{m.ID, m.Serial, m.Hostname, m.LastHostname}
			if group == "" {
				group = m.Group
			}
		case !errors.Is(err, errNoMachine):
			return err
		}
		all, err := liveConfigs(tx, tenantID)
		if err != nil {
			return err
		}
		best := -1
		for i, o := range all {
			if o.Match.Group != "" && o.Match.Group != group || o.Match.Machine != "" && !calls(names, o.Match.Machine) {
				continue
			}
			if best < 0 || o.Match.rank() > all[best].Match.rank() || o.Match.rank() == all[best].Match.rank() && o.CreatedAt.After(all[best].CreatedAt) {
				best = i
			}
		}
		if best < 0 {
			return ErrNotFound
		}
		c, err = selectConfig(tx, tenantID, all[best].Name)
		return err
	})
	return c, err
}

func calls(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return n != "" && (n == name || foldHost(n) == foldHost(name)) })
}
