package escrow

import (
	"strconv"
	"strings"

	"github.com/portreeve/portreeve/internal/input"
)

// where is what a list is narrowed by. Only what is asked for stands in the query:
// a condition that holds for everything where a parameter is empty would keep both
// engines from their indexes.
type where struct {
	conditions []string
	args       []any
}

func only(condition string, args ...any) *where {
	w := &where{}
	w.and(condition, args...)
	return w
}

// and adds a condition, whose ? are its arguments.
func (w *where) and(condition string, args ...any) {
	for _, a := range args {
		condition = strings.Replace(condition, "?", w.arg(a), 1)
	}
	w.conditions = append(w.conditions, condition)
}

// text asks for a column's text, unless it is "".
func (w *where) text(column, value string) {
	if value != "" {
		w.and(column+` = ?`, value)
	}
}

func (w *where) arg(a any) string {
	w.args = append(w.args, a)
	return "$" + strconv.Itoa(len(w.args))
}

// String is the clause.
func (w *where) String() string { return ` WHERE ` + strings.Join(w.conditions, ` AND `) }

// page is the clause of a page, and adds its arguments.
func (w *where) page(p input.Page) string {
	return ` LIMIT ` + w.arg(p.Limit) + ` OFFSET ` + w.arg(p.Offset)
}

// like is a pattern for what contains a text.
func like(s string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}
