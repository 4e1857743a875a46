package migrate

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/portreeve/portreeve/internal/agents"
	"github.com/portreeve/portreeve/internal/apikey"
	"github.com/portreeve/portreeve/internal/escrow"
	"github.com/portreeve/portreeve/internal/fault"
	"github.com/portreeve/portreeve/internal/store"
	"github.com/portreeve/portreeve/internal/tenant"
)

// D1 imports a SQL dump of the provisioning backend's database into the store, or
// one of the agents API's.
type D1 struct {
	DB      *store.DB
	Tenants *tenant.Service
	Keys    *apikey.Service
	// By and KeyBy are whoever imports: the host, which may grant every role.
	By    tenant.By
	KeyBy apikey.By
	// Agents takes agents and their admins; nil: they are left.
	Agents *agents.Service
	// Escrow takes keys, machines and sealed secrets; nil: they are left.
	Escrow *escrow.Service
	// Tenant is whose agents become, since that API's rows name none.
	Tenant string
}

// errDry takes everything back that a dry run wrote.
var errDry = errors.New("dry run")

// Import takes tenants, users with their roles, machine tokens, keys, machines and
// sealed secrets, and agents with their admins, with the ids that they have. It is one transaction: all of what can be taken is there
// afterwards, or nothing. What is there already stays as it is, so that a second
// import of the same file changes nothing. dry changes nothing at all.
func (d D1) Import(ctx context.Context, src []byte, dry bool) (*Report, error) {
	in, err := readDump(src)
	if err != nil {
		return nil, err
	}
	var r *Report
	err = d.DB.Tx(ctx, func(tx *store.Tx) error {
		i := d1{D1: d, tx: tx, tenants: map[string]bool{}, there: map[string]int{}, took: map[string]int{}}
		if err := i.all(in); err != nil {
			return err
		}
		if err := i.ownerless(); err != nil {
			return err
		}
		r = i.report(in)
		if dry {
			return errDry
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDry) {
		return nil, err
	}
	r.DryRun = dry
	return r, nil
}

// d1 is one run of an import.
type d1 struct {
	D1
	tx      *store.Tx
	out     Report
	tenants map[string]bool // that may be written: this run has their turn
	took    map[string]int  // rows by table
	there   map[string]int
	columns []string // "table.column" that nothing here reads

	newAgents []agentRow
}

// table is one that is taken.
type table struct {
	name    string
	columns []string // that a row has where nothing names them
	reads   []string
	take    func(*d1, fields) error
}

var tables = []table{
	{"tenants", []string{"id", "name"}, []string{"id", "name"}, (*d1).tenant},
	{"users", []string{"id", "tenant_id", "email", "role"}, []string{"id", "tenant_id", "email", "role", "name"}, (*d1).user},
	{"api_tokens", []string{"id", "tenant_id", "token_prefix", "token_hash", "token_salt", "label"},
		[]string{"id", "tenant_id", "token_prefix", "token_hash", "token_salt", "label"}, (*d1).token},
	{keysTable, []string{"id", "tenant_id", "public_key", "wrapped_private_key"}, keyReads, (*d1).key},
	{machinesTable, []string{"id", "tenant_id", "hostname"}, machineReads, (*d1).machine},
	{secretsTable, []string{"id", "tenant_id", "machine_id", "kind", "ciphertext"}, secretReads, (*d1).secret},
	{agentsTable, []string{"id", "name", "description"}, agentReads, (*d1).agent},
	{adminsTable, []string{"id", "agent_id", "email", "role"}, adminReads, (*d1).admin},
}

// all takes the tables one after the other, since rows of the later ones need
// those of the earlier.
func (i *d1) all(in *dump) error {
	if err := i.turns(in); err != nil {
		return err
	}
	for _, t := range tables {
		for _, r := range in.rows {
			if r.table != t.name || !i.takes(t.name) {
				continue
			}
			if r.columns == nil && len(r.values) == len(t.columns) {
				r.columns = t.columns
			}
			if r.columns == nil || len(r.columns) != len(r.values) {
				i.out.left(r.table, where(r.line), "which value is which column is not said")
				continue
			}
			f := newFields(r)
			for _, c := range r.columns {
				if name := r.table + "." + c; !slices.Contains(t.reads, c) && !state[c] && !i.readsKey(t.name, c) && !slices.Contains(i.columns, name) {
					i.columns = append(i.columns, name)
				}
			}
			if err := t.take(i, f); err != nil {
				if f := refusal(err); f != nil {
					i.out.left(r.table, where(r.line), f.words())
					continue
				}
				return err
			}
		}
	}
	return nil
}

// turns takes the turns of all tenants of the file that are in the store, in one
// order, before anything else is written.
func (i *d1) turns(in *dump) error {
	ids := map[string]bool{}
	for _, r := range in.rows {
		f := newFields(r)
		switch {
		case r.table == "tenants" && f["id"] != nil:
			ids[f.text("id")] = true
		case r.table == "tenants" && r.columns == nil && len(r.values) > 0:
			if id, ok := r.values[0].(string); ok {
				ids[id] = true
			}
		case r.table == "users" || r.table == "api_tokens" || i.Escrow != nil && ofEscrow(r.table):
			if r.columns == nil && len(r.values) > 1 {
				if id, ok := r.values[1].(string); ok {
					ids[id] = true
				}
			}
			ids[f.text("tenant_id")] = true
		case i.takes(r.table) && (r.table == agentsTable || r.table == adminsTable):
			ids[i.whose(f)] = true
		}
	}
	for _, id := range names(ids) {
		switch err := tenant.Turn(i.tx, id); {
		case err == nil:
			i.tenants[id] = true
		case !errors.Is(err, tenant.ErrNoTenant):
			return err
		}
	}
	return nil
}

func (i *d1) tenant(f fields) error {
	id := f.text("id")
	if f.off() {
		return left("is disabled or deleted there")
	}
	if i.tenants[id] {
		i.there["tenants"]++
		return i.tenantKey(f)
	}
	gone, err := tenant.Gone(i.tx, id, "")
	if err != nil {
		return err
	}
	if gone {
		return left("a tenant of this id was deleted here, and ids are not given again")
	}
	if _, err := i.Tenants.CreateIn(i.tx, i.By, tenant.NewTenant{ID: id, Name: f.text("name"), Kept: true}); err != nil {
		if errors.Is(err, tenant.ErrTenantTaken) { // made by somebody else just now
			return fault.Wrap(fault.Unavailable, "import_crossed", "Somebody made the same tenant at the same time; import again", err)
		}
		return err
	}
	i.tenants[id] = true
	i.took["tenants"]++
	return i.tenantKey(f)
}

func (i *d1) user(f fields) error {
	of, id := f.text("tenant_id"), f.text("id")
	if !i.tenants[of] {
		return left("its tenant is neither taken nor in the store")
	}
	switch was, err := tenant.UserByID(i.tx, of, id); {
	case err == nil && was.Email != f.text("email"):
		return left("another user of the tenant has this id")
	case err == nil:
		i.there["users"]++
		return nil
	case !errors.Is(err, tenant.ErrNoUser):
		return err
	}
	n := tenant.NewUser{ID: id, Email: f.text("email"), Name: f.text("name"), Disabled: f.off()}
	if id == "" {
		return left("has no id")
	}
	role := f.text("role")
	if role != "" {
		n.Roles = []string{role}
	}
	_, err := i.Tenants.AddUserIn(i.tx, i.By, of, n)
	if r := refusal(err); r != nil && n.Roles != nil {
		n.Roles = nil
		if _, again := i.Tenants.AddUserIn(i.tx, i.By, of, n); again == nil { // it was the role
			i.out.left("users.role", where(f.line()), "the user is taken without its role: "+r.words())
			err = nil
		}
	}
	if err == nil {
		i.took["users"]++
	}
	return err
}

func (i *d1) token(f fields) error {
	of := f.text("tenant_id")
	switch {
	case !i.tenants[of]:
		return left("its tenant is neither taken nor in the store")
	case f.off():
		return left("is revoked or disabled there")
	}
	end, err := f.end()
	if err != nil {
		return err
	}
	taken, err := i.Keys.ImportMachine(i.tx, i.KeyBy, of, apikey.Row{ID: f.text("id"), Prefix: f.text("token_prefix"), Salt: f.text("token_salt"),
		Hash: f.text("token_hash"), Label: f.text("label"), ExpiresAt: end})
	switch {
	case err != nil:
		return err
	case taken:
		i.took["api_tokens"]++
	default:
		i.there["api_tokens"]++
	}
	return nil
}

// report puts together what the run came to.
func (i *d1) report(in *dump) *Report {
	r := &i.out
	for _, t := range tables {
		if n := i.took[t.name]; n > 0 {
			r.took(t.name, n, "")
		}
	}
	r.Changed = len(r.Took) > 0
	single := r.Left
	r.Left = nil
	for _, t := range tables {
		if n := i.there[t.name]; n > 0 {
			r.Left = append(r.Left, Line{What: t.name, Count: n, Why: "there already, and not changed"})
		}
	}
	others := map[string]int{}
	for _, row := range in.rows {
		if !slices.ContainsFunc(tables, func(t table) bool { return t.name == row.table && i.takes(t.name) }) {
			others[row.table]++
		}
	}
	r.Left = append(r.Left, byCount(others, whyLeft)...)
	slices.Sort(i.columns)
	for _, c := range i.columns {
		r.left(c, "", "nothing in this release reads it")
	}
	r.Left = append(r.Left, single...)
	r.Left = append(r.Left, in.skipped...)
	return r.finish()
}

// whyLeft says why a table is not taken.
func whyLeft(table string) string {
	return cmp.Or(map[string]string{
		keysTable: sealed, machinesTable: sealed, secretsTable: sealed,
		"agents": resources, "agent_admins": resources,
		"sqlite_sequence": bookkeeping, "sqlite_stat1": bookkeeping, "d1_migrations": bookkeeping, "_cf_kv": bookkeeping,
	}[table], "no table of Portreeve's")
}

const (
	sealed      = "nothing here takes what is in escrow"
	resources   = "nothing here takes agents"
	bookkeeping = "the database's own bookkeeping"
)
