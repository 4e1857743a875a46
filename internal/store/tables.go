package store

// tables names the tables of the store, those of the engine itself left out.
func tables(tx *Tx) (map[string]bool, error) {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if tx.db.engine == PostgreSQL {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
	}
	names, err := List(tx, func(r Row) (s string, err error) { return s, r.Scan(&s) }, query)
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out, err
}
