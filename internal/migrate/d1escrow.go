package migrate

import (
	"slices"
	"time"

	"github.com/portreeve/portreeve/internal/escrow"
)

// The tables of secret escrow. The documents name few of their columns: those are
// read, and the usual spellings of the rest.
const (
	keysTable     = "keys"
	machinesTable = "machines"
	secretsTable  = "secrets"
)

var (
	publicColumns  = []string{"public_key", "public_jwk", "public_key_jwk", "pubkey", "jwk"}
	wrappedColumns = []string{"wrapped_private_key", "wrapped_key", "wrapped"}
	serialColumns  = []string{"serial", "serial_number"}
	machineColumns = []string{"machine_id", "machine"}
	kindColumns    = []string{"kind", "type", "secret_type"}
	labelColumns   = []string{"label", "name"}

	keyReads     = slices.Concat([]string{"id", "tenant_id", "kid", "created_at"}, publicColumns, wrappedColumns)
	machineReads = slices.Concat([]string{"id", "tenant_id", "hostname", "created_at"}, serialColumns)
	secretReads  = slices.Concat([]string{"id", "tenant_id", "kid", "ciphertext", "created_at"}, machineColumns, kindColumns, labelColumns)
)

// ofEscrow reports whether a table is one of secret escrow.
func ofEscrow(table string) bool {
	return table == keysTable || table == machinesTable || table == secretsTable
}

// first is the text of the first of some columns that has one.
func (f fields) first(columns []string) string {
	for _, c := range columns {
		if s := f.text(c); s != "" {
			return s
		}
	}
	return ""
}

// time is a column's time as SQLite's datetime() writes it, by RFC 3339, or as a
// number of seconds or milliseconds; zero for anything else.
func (f fields) time(column string) time.Time {
	if n, ok := f[column].(int64); ok && n > 0 && n < 1e14 {
		if n < 1e11 {
			n *= 1000
		}
		return time.UnixMilli(n).UTC()
	}
	for _, form := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(form, f.text(column)); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC().Truncate(time.Millisecond)
		}
	}
	return time.Time{}
}

// deleted reports whether a row was deleted there. What else its state may be is
// about the machine.
func (f fields) deleted() bool {
	return truth(f["deleted"]) || truth(f["deleted_at"]) || truth(f["archived_at"])
}

func (i *d1) escrowBy(of string) escrow.By { return escrow.By{Tenant: of, Actor: i.By.Actor} }

// counts notes what became of a row.
func (i *d1) counts(table string, taken bool, err error) error {
	switch {
	case err != nil:
		return err
	case taken:
		i.took[table]++
	default:
		i.there[table]++
	}
	return nil
}

// readsKey reports whether a column of tenants is read as that of its key.
func (i *d1) readsKey(table, column string) bool {
	return table == "tenants" && i.Escrow != nil && (column == "created_at" || slices.Contains(publicColumns, column) || slices.Contains(wrappedColumns, column))
}

// tenantKey takes the key that stands in a tenant's own row.
func (i *d1) tenantKey(f fields) error {
	wrapped, public := f.first(wrappedColumns), f.first(publicColumns)
	if i.Escrow == nil || wrapped == "" {
		return nil
	}
	if public == "" {
		i.out.left("tenants.wrapped_private_key", where(f.line()), "its public key does not stand beside it")
		return nil
	}
	err := i.keyOf(f.text("id"), public, wrapped, f)
	if r := refusal(err); r != nil { // the tenant itself is taken
		i.out.left("tenants.wrapped_private_key", where(f.line()), r.words())
		return nil
	}
	return err
}

// tenantOf is the tenant that a row goes to, or why it stays.
func (i *d1) tenantOf(f fields) (string, error) {
	of := f.text("tenant_id")
	switch {
	case !i.tenants[of]:
		return "", left("its tenant is neither taken nor in the store")
	case f.deleted():
		return "", left("is deleted there")
	}
	return of, nil
}

func (i *d1) key(f fields) error {
	of, err := i.tenantOf(f)
	if err != nil {
		return err
	}
	return i.keyOf(of, f.first(publicColumns), f.first(wrappedColumns), f)
}

func (i *d1) keyOf(of, public, wrapped string, f fields) error {
	taken, err := i.Escrow.ImportKey(i.tx, i.escrowBy(of), escrow.KeyRow{Public: public, Wrapped: wrapped, CreatedAt: f.time("created_at")})
	return i.counts(keysTable, taken, err)
}

func (i *d1) machine(f fields) error {
	of, err := i.tenantOf(f)
	if err != nil {
		return err
	}
	taken, err := i.Escrow.ImportMachine(i.tx, i.escrowBy(of), escrow.MachineRow{ID: f.text("id"), Serial: f.first(serialColumns), Hostname: f.text("hostname"), CreatedAt: f.time("created_at")})
	return i.counts(machinesTable, taken, err)
}

func (i *d1) secret(f fields) error {
	of, err := i.tenantOf(f)
	if err != nil {
		return err
	}
	taken, err := i.Escrow.ImportSecret(i.tx, i.escrowBy(of), escrow.SecretRow{ID: f.text("id"), Machine: f.first(machineColumns), Kind: f.first(kindColumns),
		Label: f.first(labelColumns), Kid: f.text("kid"), Ciphertext: f.text("ciphertext"), CreatedAt: f.time("created_at")})
	return i.counts(secretsTable, taken, err)
}
