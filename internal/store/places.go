package store

import (
	"strconv"
	"strings"
)

// Places are the parameters of so many rows, in order: "($1,$2),($3,$4)" for
// two of two columns. SQLite gets "(?,?),(?,?)": it finds a parameter by its
// name among all names, which for some hundreds of them takes several times as
// long as writing the rows.
func (tx *Tx) Places(rows, columns int) string {
	if rows < 1 || columns < 1 {
		return ""
	}
	numbered := tx.db.engine == PostgreSQL
	var b strings.Builder
	b.Grow(rows * columns * 5)
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%columns == 0:
			b.WriteString("),(")
		default:
			b.WriteByte(',')
		}
		if !numbered {
			b.WriteByte('?')
			continue
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}
