package config

// Has reports whether the file itself holds a value at rel: false for one that
// a variable or a default filled in.
func (r *Reporter) Has(rel string) bool { return r.doc.Has(join(r.path, rel)) }
