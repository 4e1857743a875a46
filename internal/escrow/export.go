package escrow

import (
	"github.com/portreeve/portreeve/internal/input"
	"github.com/portreeve/portreeve/internal/store"
)

// exported is what an export of a tenant has of escrow: enough to open every
// secret without a server, for whoever knows the passphrase.
type exported struct {
	Tenant   string           `json:"tenant"`
	Keys     []keyView        `json:"keys"` // with all that opens them
	Machines []machineView    `json:"machines"`
	Secrets  []exportedSecret `json:"secrets"`
}

type exportedSecret struct {
	secretView
	Ciphertext string `json:"ciphertext"`
}

// Export implements tenant.Part.
func (s *Service) Export(tx *store.Tx, tenantID string) (name string, value any, err error) {
	out := exported{Tenant: tenantID, Keys: []keyView{}, Machines: []machineView{}, Secrets: []exportedSecret{}}
	keys, err := listKeys(tx, tenantID)
	if err != nil {
		return "", nil, err
	}
	for i, k := range keys {
		h := heldKey{Key: k}
		if h.wrappings, err = wrappingsOf(tx, tenantID, k.Kid, s.now()); err != nil {
			return "", nil, err
		}
		if h.recoveries, err = recoveriesOf(tx, tenantID, k.Kid); err != nil {
			return "", nil, err
		}
		out.Keys = append(out.Keys, viewKey(h, i == 0, true))
	}
	for total, p := 1, (input.Page{Limit: 1000}); p.Offset < total; p.Offset += p.Limit {
		var list []machineRow
		if list, total, err = listMachines(tx, tenantID, machineFilter{}, p); err != nil {
			return "", nil, err
		}
		for _, m := range list {
			if m.Names, err = namesOf(tx, tenantID, m.ID); err != nil {
				return "", nil, err
			}
			out.Machines = append(out.Machines, viewMachine(m))
		}
	}
	for total, p := 1, (input.Page{Limit: 1000}); p.Offset < total; p.Offset += p.Limit {
		var list []secretRow
		if list, total, err = listSecrets(tx, tenantID, "", "", p); err != nil {
			return "", nil, err
		}
		for _, x := range list {
			whole, err := selectSecret(tx, tenantID, x.ID)
			if err != nil {
				return "", nil, err
			}
			out.Secrets = append(out.Secrets, exportedSecret{viewSecret(x), whole.Ciphertext})
		}
	}
	return "escrow", out, nil
}
