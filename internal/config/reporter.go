package config

import "fmt"

// Reporter collects problems below one path of a document.
type Reporter struct {
	doc  *Document
	path string
}

// Path is where the reporter stands, "" for the root.
func (r *Reporter) Path() string { return r.path }

// At is a reporter for a place below this one. rel is "name", "a.b", "[3]",
// "[3].name" or, for a key that is no plain word, `["/login"]`: see Key.
func (r *Reporter) At(rel string) *Reporter {
	return &Reporter{doc: r.doc, path: join(r.path, rel)}
}

// Errorf reports a problem at rel ("" is the reporter's own place). Its
// position is that of the nearest value that the file holds. The text must not
// quote a value that is secret or came from outside.
func (r *Reporter) Errorf(rel, format string, args ...any) {
	r.doc.report(join(r.path, rel), false, fmt.Sprintf(format, args...))
}

// Warnf is Errorf for what does not keep the file from loading.
func (r *Reporter) Warnf(rel, format string, args ...any) {
	r.doc.report(join(r.path, rel), true, fmt.Sprintf(format, args...))
}

func (d *Document) report(path string, warning bool, message string) {
	p := d.problem(path, message)
	p.Warning = warning
	d.add(p)
}

// Has reports whether the file itself holds a value at rel: false for one that
// a variable or a default filled in.
func (r *Reporter) Has(rel string) bool { return r.doc.Has(join(r.path, rel)) }
