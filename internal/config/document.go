package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Options say where a document comes from and what it may read.
type Options struct {
	Name     string                            // the file's name as problems show it
	Env      func(name string) (string, bool)  // nil: no variable is set
	ReadFile func(path string) ([]byte, error) // nil: os.ReadFile
	Dir      string                            // relative {{file.…}} paths start here
}

// Document is what a text said, and everything that is wrong with it. It is
// not safe for use by several goroutines.
type Document struct {
	options  Options
	root     *node
	problems []Problem
	errors   int // among the problems, also those that were not kept
	inline   []Problem
	files    []string
	contents map[string]content // of the files read, by path
	shapes   map[reflect.Type]*shape
	around   []scope  // the structs that are being read, outermost first
	outside  []string // values of variables and files, which no message may quote
	secrets  []string // texts of secrets, which no redacted text shows
	hidden   map[*node]discretion
	visits   int // of nodes, so that aliases cannot multiply without end
}

// scope is a struct that is being read, and where.
type scope struct {
	shape *shape
	path  string
}

// Problems lists what is wrong, in the order of the file.
func (d *Document) Problems() []Problem { return sortProblems(d.problems) }

// Failed reports whether any problem is more than a warning.
func (d *Document) Failed() bool {
	return d.errors > 0
}

// maxProblems are kept; more help nobody.
const maxProblems = 1000

// fromOutside notes a value that no message may quote.
func (d *Document) fromOutside(value string) {
	if value != "" && !slices.Contains(d.outside, value) {
		d.outside = append(d.outside, value)
	}
}

// longValue is from where on a value is taken out of messages even without
// quotes: shorter ones may be words that stand there anyway.
const longValue = 16

// discreet is a message without values from outside. Whoever validates sees a
// value and not where it came from, so it is seen to here.
func (d *Document) discreet(message string) string {
	for _, v := range d.outside {
		message = strings.ReplaceAll(message, strconv.Quote(v), `"…" (from outside)`)
		if len(v) >= longValue {
			message = strings.ReplaceAll(message, v, "…")
		}
	}
	return message
}

// add keeps a problem.
func (d *Document) add(p Problem) {
	p.Message = d.discreet(p.Message)
	if !p.Warning {
		d.errors++
	}
	switch len(d.problems) {
	case maxProblems:
	case maxProblems - 1:
		d.problems = append(d.problems, Problem{File: p.File, Warning: true,
			Message: "there are more problems than are shown here"})
	default:
		d.problems = append(d.problems, p)
	}
}

// Files lists every file that a {{file.…}} named, absolute, without
// repetitions, also those that could not be read.
func (d *Document) Files() []string { return slices.Clone(d.files) }

// InlineSecrets lists the secrets that are written out in the file instead of
// coming from outside. The texts do not quote them.
func (d *Document) InlineSecrets() []Problem { return sortProblems(d.inline) }

// Finish turns the secrets written out in the file into problems: errors in
// prod, warnings elsewhere. Call it once, when the environment is known.
func (d *Document) Finish(prod bool) {
	for _, p := range d.inline {
		p.Warning = !prod
		d.add(p)
	}
	d.inline = nil
}

// Has reports whether the file itself holds a value at path ("jwt",
// "routes[3].path").
func (d *Document) Has(path string) bool {
	_, exact := d.locate(path)
	return exact
}

// Report is where features say what is wrong below path; "" is the root.
func (d *Document) Report(path string) *Reporter { return &Reporter{doc: d, path: path} }

// Forgive drops the problems at exactly that path: of a fragment, what the rest
// of a file would have held.
func (d *Document) Forgive(path string) {
	d.problems = slices.DeleteFunc(d.problems, func(p Problem) bool {
		if p.Path == path && !p.Warning {
			d.errors--
		}
		return p.Path == path
	})
}
