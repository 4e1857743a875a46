package escrow

import (
	"encoding/json"
	"time"

	"github.com/portreeve/portreeve/internal/escrow/envelope"
)

// moment is a time as it is shown, nil for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(stamp)
	return &s
}

// some is nil for "".
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type wrappingView struct {
	Version      int             `json:"version"`
	Current      bool            `json:"current"`
	Format       string          `json:"format"`
	Wrapped      json.RawMessage `json:"wrappedPrivateKey"`
	CreatedAt    *string         `json:"createdAt"`
	SupersededAt *string         `json:"supersededAt"`
}

type recoveryView struct {
	Sealed    string  `json:"sealed"`
	Set       string  `json:"set"`
	K         int     `json:"k"`
	N         int     `json:"n"`
	CreatedAt *string `json:"createdAt"`
}

type keyView struct {
	Kid           string          `json:"kid"`
	PublicKey     json.RawMessage `json:"publicKey"`
	SigningKey    json.RawMessage `json:"signingKey"`
	Signature     *string         `json:"signature"`
	Authorization *string         `json:"authorization"`
	Predecessor   *string         `json:"predecessor"`
	CreatedAt     *string         `json:"createdAt"`
	Current       bool            `json:"current"`
	Imported      bool            `json:"imported"`
	Weak          bool            `json:"weak"` // fewer bits than a new key may have
	Wrappings     []wrappingView  `json:"wrappings,omitempty"`
	Recovery      []recoveryView  `json:"recovery,omitempty"`
}

// viewKey is a key as callers see it. opened says that what opens it goes along.
func viewKey(k heldKey, current, opened bool) keyView {
	v := keyView{Kid: k.Kid, PublicKey: k.Public, SigningKey: k.Signing, Signature: some(k.Signature), Authorization: some(k.Succession),
		Predecessor: some(k.Predecessor), CreatedAt: moment(k.CreatedAt), Current: current, Imported: k.Imported}
	if p, err := envelope.ParsePublic(k.Public, envelope.ImportedBits); err == nil {
		v.Weak = p.Key.N.BitLen() < envelope.NewBits
	}
	if !opened {
		return v
	}
	for _, w := range k.wrappings {
		v.Wrappings = append(v.Wrappings, wrappingView{w.Version, w.SupersededAt.IsZero(), w.Format, w.raw(), moment(w.CreatedAt), moment(w.SupersededAt)})
	}
	for _, r := range k.recoveries {
		v.Recovery = append(v.Recovery, recoveryView{r.sealed, r.Set, r.K, r.N, moment(r.createdAt)})
	}
	return v
}

// pubkey is the current key as machines get it: the JWK, and what a pinning one
// checks.
func pubkey(tenantID string, k Key) (map[string]any, error) {
	out := map[string]any{}
	if err := json.Unmarshal(k.Public, &out); err != nil {
		return nil, err
	}
	out["tenant"], out["createdAt"] = tenantID, moment(k.CreatedAt)
	if k.Signature != "" {
		out["signature"], out["signingKey"] = k.Signature, k.Signing
	}
	if k.Succession != "" {
		out["authorization"] = k.Succession
	}
	return out, nil
}

type lastRun struct {
	ID         string  `json:"id"`
	Status     string  `json:"status"`
	StartedAt  *string `json:"startedAt"`
	FinishedAt *string `json:"finishedAt"`
	UpdatedAt  *string `json:"updatedAt"`
}

type machineView struct {
	ID           string   `json:"id"`
	Serial       string   `json:"serial,omitempty"`
	Hostname     string   `json:"hostname"`
	LastHostname string   `json:"lastHostname,omitempty"`
	Hostnames    []string `json:"hostnames,omitempty"` // besides the first; not in lists
	Group        string   `json:"group,omitempty"`
	CreatedAt    *string  `json:"createdAt,omitempty"`
	LastSeenAt   *string  `json:"lastSeenAt,omitempty"`
	LastRun      *lastRun `json:"lastRun,omitempty"`
	Secrets      *int     `json:"secrets,omitempty"` // how many; only for those who may list them
}

func viewMachine(m machineRow) machineView {
	v := machineView{ID: m.ID, Serial: m.Serial, Hostname: m.Hostname, LastHostname: m.LastHostname, Hostnames: m.Names, Group: m.Group, CreatedAt: moment(m.CreatedAt), LastSeenAt: moment(m.SeenAt), Secrets: m.secrets}
	if m.status != "" {
		v.LastRun = &lastRun{m.run.ID, m.run.Status, moment(m.run.StartedAt), moment(m.run.FinishedAt), moment(m.run.UpdatedAt)}
	}
	return v
}

type runView struct {
	ID         string          `json:"id"`
	MachineID  string          `json:"machineId"`
	Hostname   string          `json:"hostname"`
	LastName   string          `json:"lastHostname,omitempty"`
	Status     string          `json:"status"`
	StartedAt  *string         `json:"startedAt"`
	FinishedAt *string         `json:"finishedAt"`
	Phases     json.RawMessage `json:"phases,omitempty"` // left out where detail=false asks for it
	Extra      json.RawMessage `json:"extra,omitempty"`
	Reports    int             `json:"reports"`
	CreatedAt  *string         `json:"createdAt"`
	UpdatedAt  *string         `json:"updatedAt"`
}

func viewRun(r runRow) runView {
	return runView{r.ID, r.Machine, r.hostname, r.lastHostname, r.Status, moment(r.StartedAt), moment(r.FinishedAt), r.Phases, r.Extra, r.Reports, moment(r.CreatedAt), moment(r.UpdatedAt)}
}

type secretView struct {
	ID        string  `json:"id"`
	MachineID string  `json:"machineId"`
	Hostname  string  `json:"hostname"`
	Kind      string  `json:"kind"`
	Label     string  `json:"label,omitempty"`
	Version   int     `json:"version"`
	Kid       string  `json:"kid"`
	Format    string  `json:"format"`
	Bound     bool    `json:"bound"` // false: nothing in it says whose it is
	CreatedAt *string `json:"createdAt"`
	// LastReveal is who had it handed out last.
	LastReveal *lastReveal `json:"lastReveal,omitempty"`
}

type lastReveal struct {
	At     *string `json:"at"`
	UserID string  `json:"userId"`
	Email  string  `json:"email,omitempty"` // "": that user is gone
}

func viewSecret(x secretRow) secretView {
	v := secretView{x.ID, x.Machine, x.hostname, x.Kind, x.Label, x.Version, x.Kid, x.Format, x.Format == envelope.FormatJWE, moment(x.CreatedAt), nil}
	if !x.revealedAt.IsZero() {
		v.LastReveal = &lastReveal{moment(x.revealedAt), x.revealedBy, x.email}
	}
	return v
}

type revealView struct {
	ID         string      `json:"id"`
	Kid        string      `json:"kid"`
	Ciphertext string      `json:"ciphertext"`
	Format     string      `json:"format"`
	AuditID    string      `json:"auditId"`
	Tenant     string      `json:"tenant"`
	Machine    machineView `json:"machine"`
	Kind       string      `json:"kind"`
	Label      string      `json:"label,omitempty"`
	Version    int         `json:"version"`
	CreatedAt  *string     `json:"createdAt"`
}

func viewReveal(tenantID string, r Revealed) revealView {
	return revealView{r.ID, r.Kid, r.Ciphertext, r.Format, r.AuditID, tenantID,
		machineView{ID: r.Of.ID, Serial: r.Of.Serial, Hostname: r.Of.Hostname, LastHostname: r.Of.LastHostname, Hostnames: r.Of.Names}, r.Kind, r.Label, r.Version, moment(r.CreatedAt)}
}

type configView struct {
	Name      string          `json:"name"`
	Version   int             `json:"version"`
	Match     Match           `json:"match"`
	Disabled  bool            `json:"disabled"`
	Config    json.RawMessage `json:"config,omitempty"`
	UpdatedAt *string         `json:"updatedAt"`
}

func viewConfig(c MachineConfig) configView {
	return configView{c.Name, c.Version, c.Match, c.Disabled, c.Config, moment(c.CreatedAt)}
}
