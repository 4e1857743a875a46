package migrate

import (
	"strings"
)

// row is what one VALUES list of an INSERT says.
type row struct {
	table   string   // folded, without schema
	columns []string // folded; nil: neither the INSERT nor a CREATE TABLE named them
	values  []any
	line    int
}

// dump is what a SQL text holds for us.
type dump struct {
	rows []row
	// skipped are statements that put rows where no list of values says which.
	skipped []Line
}

// readDump reads the INSERTs of a SQL text. It executes nothing: other
// statements are passed over to their end, a trigger's body included, but for
// CREATE TABLE, whose column names give an INSERT without any its own.
func readDump(src []byte) (*dump, error) {
	s := &scanner{src: src, line: 1}
	if len(src) > maxDump {
		return nil, s.fail("the file is larger than %d bytes", maxDump)
	}
	d := &dump{}
	tables := map[string][]string{}
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case t.kind == end:
			return d, nil
		case t.is(";"):
		case t.is("INSERT"), t.is("REPLACE"):
			err = s.insert(d, tables, t.line)
		case t.is("CREATE"):
			err = s.create(tables)
		default:
			s.back(t)
			err = s.skipStatement()
		}
		if err != nil {
			return nil, err
		}
	}
}

// skipStatement goes behind the semicolon.
func (s *scanner) skipStatement() error {
	for {
		t, err := s.next()
		if err != nil || t.kind == end || t.is(";") {
			return err
		}
	}
}

// tableName reads schema.name, or name.
func (s *scanner) tableName() (string, error) {
	for {
		t, err := s.next()
		if err != nil {
			return "", err
		}
		name, ok := t.name()
		if !ok {
			s.back(t)
			return "", nil
		}
		dot, err := s.next()
		if err != nil {
			return "", err
		}
		if !dot.is(".") {
			s.back(dot)
			return strings.ToLower(name), nil
		}
	}
}

// insert reads INSERT [OR …] INTO table [AS x] [(columns)] VALUES (…), (…) ….
func (s *scanner) insert(d *dump, tables map[string][]string, line int) error {
	for {
		t, err := s.next()
		if err != nil {
			return err
		}
		if t.is("INTO") {
			break
		}
		if t.kind != word {
			s.back(t)
			return s.skipStatement()
		}
	}
	table, err := s.tableName()
	if err != nil {
		return err
	}
	columns := tables[table]
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return err
		case t.is("("):
			if columns, err = s.names(); err != nil {
				return err
			}
		case t.is("VALUES"):
			return s.rows(d, row{table: table, columns: columns})
		case t.is("AS"), t.kind == word && !t.is("SELECT") && !t.is("DEFAULT") && !t.is("WITH"), t.kind == quotedName:
		default:
			d.skipped = append(d.skipped, Line{What: clip(oneLine(table)), Where: where(line), Why: "an INSERT without a list of values: nothing of a dump is executed"})
			s.back(t)
			return s.skipStatement()
		}
	}
}

// names reads a list of column names up to its closing parenthesis.
func (s *scanner) names() ([]string, error) {
	var out []string
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		name, ok := t.name()
		if !ok || len(out) >= maxColumns {
			return nil, s.fail("a list of columns: %w", errBroken)
		}
		out = append(out, strings.ToLower(name))
		t, err = s.next()
		switch {
		case err != nil:
			return nil, err
		case t.is(")"):
			return out, nil
		case !t.is(","):
			return nil, s.fail("a list of columns: %w", errBroken)
		}
	}
}

// rows reads (…), (…) and passes over what follows them (ON CONFLICT …).
func (s *scanner) rows(d *dump, like row) error {
	for {
		t, err := s.next()
		if err != nil {
			return err
		}
		if !t.is("(") {
			s.back(t)
			return s.skipStatement()
		}
		r := like
		r.line = t.line
		if r.values, err = s.values(); err != nil {
			return err
		}
		if len(d.rows) >= maxRows {
			return s.fail("the file has more than %d rows", maxRows)
		}
		d.rows = append(d.rows, r)
		if t, err = s.next(); err != nil {
			return err
		}
		if !t.is(",") {
			s.back(t)
			return s.skipStatement()
		}
	}
}

func (s *scanner) values() ([]any, error) {
	var out []any
	for {
		v, err := s.value(0)
		if err != nil {
			return nil, err
		}
		if len(out) >= maxColumns {
			return nil, s.fail("a row has more than %d values", maxColumns)
		}
		out = append(out, v)
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		if t.is(")") {
			return out, nil
		}
		if !t.is(",") {
			return nil, s.fail("a row: %w", errBroken)
		}
	}
}

// create reads the column names of CREATE TABLE, and passes over a trigger
// with its body: the INSERTs in there are not rows of the dump.
func (s *scanner) create(tables map[string][]string) error {
	for {
		t, err := s.next()
		switch {
		case err != nil:
			return err
		case t.is("TEMP"), t.is("TEMPORARY"), t.is("UNIQUE"):
		case t.is("TRIGGER"):
			return s.skipTrigger()
		case t.is("TABLE"):
			return s.createTable(tables)
		default:
			s.back(t)
			return s.skipStatement()
		}
	}
}

// skipTrigger goes behind the body's "; END ;", which is how SQLite's own shell
// finds a trigger's end (sqlite3_complete).
func (s *scanner) skipTrigger() error {
	var before [2]token
	for {
		t, err := s.next()
		if err != nil || t.kind == end {
			return err
		}
		if t.is(";") && before[1].is("END") && before[0].is(";") {
			return nil
		}
		before[0], before[1] = before[1], t
	}
}

func (s *scanner) createTable(tables map[string][]string) error {
	for _, skip := range []string{"IF", "NOT", "EXISTS"} {
		t, err := s.next()
		if err != nil {
			return err
		}
		if !t.is(skip) {
			s.back(t)
			break
		}
	}
	table, err := s.tableName()
	if err != nil {
		return err
	}
	t, err := s.next()
	if err != nil {
		return err
	}
	if !t.is("(") {
		s.back(t)
		return s.skipStatement()
	}
	columns, err := s.definitions()
	if err != nil {
		return err
	}
	tables[table] = columns
	return s.skipStatement()
}

// definitions reads what stands between the parentheses of CREATE TABLE: the
// first name of each part is a column's, unless the part is a constraint.
func (s *scanner) definitions() ([]string, error) {
	var out []string
	for first, depth := true, 0; ; {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		switch {
		case t.kind == end, t.is(";"):
			return nil, s.fail("CREATE TABLE: %w", errBroken)
		case t.is("("):
			depth++
		case t.is(")") && depth == 0:
			return out, nil
		case t.is(")"):
			depth--
		case t.is(",") && depth == 0:
			first = true
			continue
		case first && depth == 0:
			if name, ok := t.name(); ok && !(t.kind == word && constraint[t.text]) {
				if len(out) >= maxColumns {
					return nil, s.fail("a table has more than %d columns", maxColumns)
				}
				out = append(out, strings.ToLower(name))
			}
		}
		first = false
	}
}

// constraint are the words that begin a table's constraint.
var constraint = map[string]bool{"CONSTRAINT": true, "PRIMARY": true, "UNIQUE": true, "CHECK": true, "FOREIGN": true}
