package vault

import (
	"fmt"
	"strings"

	"github.com/portreeve/portreeve/internal/seal"
)

// Column is a sealed column of a table, of any shape. A value that is NULL or
// empty is not sealed.
type Column struct {
	Table  string
	Column string
	Tenant string   // the column that holds the tenant; "" where the table has none
	Row    []string // the columns that, with the tenant, make the primary key
	// Purpose is that of seal.Place, for a row of this tenant.
	Purpose func(tenant string) string
}

func (c Column) String() string { return c.Table + "." + c.Column }

// key are the columns of the primary key, the tenant's first.
func (c Column) key() []string {
	if c.Tenant == "" {
		return c.Row
	}
	return append([]string{c.Tenant}, c.Row...)
}

// place is where a value stands, given the values of key.
func (c Column) place(key []any) seal.Place {
	p := seal.Place{Table: c.Table, Column: c.Column}
	if c.Tenant != "" {
		p.Tenant, key = fmt.Sprint(key[0]), key[1:]
	}
	row := make([]string, len(key))
	for i, v := range key {
		row[i] = fmt.Sprint(v)
	}
	p.Purpose, p.Row = c.Purpose(p.Tenant), seal.RowOf(row...)
	return p
}

// there is the condition that a row has a sealed value at all.
func (c Column) there() string {
	return fmt.Sprintf("%[1]s IS NOT NULL AND length(%[1]s) > 0", c.Column)
}

// starts is the condition that a value begins as those of a key do. at is the
// number of its first parameter; the arguments are given by startArgs.
func (c Column) starts(at int) string {
	return fmt.Sprintf("substr(%s, 1, $%d) = $%d", c.Column, at, at+1)
}

func startArgs(id string) []any {
	prefix := seal.Prefix(id)
	return []any{int64(len(prefix)), prefix}
}

func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}
