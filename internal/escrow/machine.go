package escrow

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/principal"
	"github.com/portreeve/portreeve/internal/store"
)

// MachineRef is how a machine calls itself: {id?, serial?, hostname}, or a text,
// which is its hostname.
type MachineRef struct {
	ID, Serial, Hostname, Group string
	extra                       map[string]json.RawMessage
	wrong                       input.Fields
}

const (
	maxID       = 128
	maxSerial   = 128
	maxHostname = 255
	maxGroup    = 64
)

// readMachine reads the member machine of a body.
func readMachine(raw json.RawMessage) (MachineRef, error) {
	var r MachineRef
	var text string
	if len(raw) == 0 || string(raw) == "null" {
		return r, input.Invalid("machine", "is required: {id?, serial?, hostname}, or a hostname")
	}
	if json.Unmarshal(raw, &text) == nil {
		r.Hostname = text
		return r, r.check()
	}
	members, err := input.Members(raw)
	if err != nil {
		return r, input.Invalid("machine", "must be {id?, serial?, hostname}, or a hostname")
	}
	for name, to := range map[string]*string{"id": &r.ID, "serial": &r.Serial, "hostname": &r.Hostname, "group": &r.Group} {
		if v, there := members[name]; there && string(v) != "null" && json.Unmarshal(v, to) != nil {
			r.wrong.Add("machine."+name, "must be a string")
		}
		delete(members, name)
	}
	r.extra = members
	return r, r.check()
}

// check says what is wrong, and takes away serials that many machines have.
func (r *MachineRef) check() error {
	if r.ID != "" && !visible(r.ID, maxID) {
		r.wrong.Add("machine.id", "must be 1 to 128 visible ASCII characters")
	}
	if r.Serial = strings.TrimSpace(r.Serial); !line(r.Serial, 0, maxSerial) {
		r.wrong.Add("machine.serial", "must be one line of at most 128 characters")
	}
	if r.Hostname = strings.TrimSpace(r.Hostname); !line(r.Hostname, 1, maxHostname) || foldHost(r.Hostname) == "" {
		r.wrong.Add("machine.hostname", "is required: one line of at most 255 characters")
	}
	if !line(r.Group, 0, maxGroup) {
		r.wrong.Add("machine.group", "must be one line of at most 64 characters")
	}
	if nobodysSerial(r.Serial) {
		r.Serial = ""
	}
	return r.wrong.Err()
}

// nobodysSerial reports whether a serial is one of the texts that boards have
// whose maker wrote none: they would make one machine of many.
func nobodysSerial(s string) bool {
	switch f := principal.FoldASCII(s); f {
	case "to be filled by o.e.m.", "default string", "system serial number", "not specified", "not applicable", "none", "n/a", "na", "unknown", "invalid", "oem", "o.e.m.", "empty":
		return true
	default:
		return strings.Trim(f, "0x-. ") == "" || f == "123456789" || f == "1234567890"
	}
}

// foldHost is the one form in which hostnames are compared.
func foldHost(s string) string { return strings.TrimSuffix(principal.FoldASCII(s), ".") }

// called reports whether the machine calls itself so.
func (r MachineRef) called(name string) bool {
	return name != "" && (name == r.ID || name == r.Serial || foldHost(name) == foldHost(r.Hostname))
}

// line reports whether s is one line of least to most characters.
func line(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= least && n <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// visible reports whether s is 1 to most visible ASCII characters.
func visible(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != "" && len(s) <= most
}

var errNoMachine = errors.New("escrow: no such machine")

// find is the machine that calls itself so: by id, else serial, else hostname. Of
// several of one hostname it is the one seen last; one of another serial is
// another machine.
func find(tx *store.Tx, tenantID string, r MachineRef) (Machine, error) {
	if r.ID != "" {
		if m, err := machineBy(tx, `m.id = $2`, tenantID, r.ID); !errors.Is(err, errNoMachine) {
			return m, err
		}
	}
	if r.Serial != "" {
		if m, err := machineBy(tx, `m.serial = $2`, tenantID, r.Serial); !errors.Is(err, errNoMachine) {
			return m, err
		}
	}
	return machineBy(tx, `m.hostname_folded = $2 AND (m.serial = '' OR $3 = '' OR m.serial = $3)`, tenantID, foldHost(r.Hostname), r.Serial)
}

// seen is the machine that calls itself so, made if it is new. What is known of
// it stays; what was not known yet is added.
func (s *Service) seen(tx *store.Tx, by By, r MachineRef) (Machine, error) {
	now := s.now()
	m, err := find(tx, by.Tenant, r)
	if errors.Is(err, errNoMachine) {
		n, err := count(tx, `SELECT COUNT(*) FROM machines WHERE tenant_id = $1`, by.Tenant)
		if err != nil {
			return Machine{}, err
		}
		if n >= mostMachines {
			return Machine{}, ErrFull
		}
		m = Machine{ID: newID("mac_"), Serial: r.Serial, Hostname: r.Hostname, Group: r.Group, CreatedAt: now, SeenAt: now}
		if err := insertMachine(tx, by.Tenant, m); err != nil {
			return Machine{}, err
		}
		return m, s.note(tx, by, "machine.created", m.ID, nil)
	}
	if err != nil {
		return Machine{}, err
	}
	if m.Serial == "" && r.Serial != "" {
		switch _, err := machineBy(tx, `m.serial = $2`, by.Tenant, r.Serial); {
		case errors.Is(err, errNoMachine):
			m.Serial = r.Serial
		case err != nil: // one that is found by its id takes no serial from another
			return Machine{}, err
		}
	}
	if m.LastHostname = ""; foldHost(r.Hostname) != foldHost(m.Hostname) {
		m.LastHostname = r.Hostname
	}
	if r.Group != "" {
		m.Group = r.Group
	}
	m.SeenAt = now
	if err := markMachine(tx, by.Tenant, m); err != nil || m.LastHostname == "" {
		return m, err
	}
	return m, nameMachine(tx, by.Tenant, m, now)
}

// is reports whether a name is one of the machine's: whoever opens what was sealed
// by that name finds it among them.
func (m Machine) is(name string) bool {
	return name != "" && (name == m.ID || name == m.Serial || foldHost(name) == foldHost(m.Hostname) ||
		slices.ContainsFunc(m.Names, func(n string) bool { return foldHost(n) == foldHost(name) }))
}
