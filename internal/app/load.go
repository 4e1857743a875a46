package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/template"
)

// Source is where a configuration comes from.
type Source struct {
	Path   string                      // the file
	Getenv func(string) (string, bool) // the process's environment
}

// Loaded is a configuration file that has been read: values from outside are in
// place, what is wrong with it so far is among the document's problems.
type Loaded struct {
	File *File
	Doc  *config.Document
	Path string
	Dir  string
	// Env is prod, test or dev.
	Env string
	// Written is Env where the file itself says it, else prod: what weakens a
	// check needs it written down.
	Written string
	// Size is how many bytes the file has.
	Size int
	// ListenGiven says that File.Listen is the command line's.
	ListenGiven bool
}

// DefaultFiles are looked for in the working directory, in this order.
var DefaultFiles = []string{"portreeve.yaml", "portreeve.yml", "portreeve.json"}

// FindFile returns the configuration file to use: the one given, else the first
// of DefaultFiles that exists.
func FindFile(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	for _, name := range DefaultFiles {
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no configuration: there is no %s here; name one with -c FILE, or see what Portreeve does with `portreeve demo`", strings.Join(DefaultFiles, " or "))
}

// Load reads a configuration file. The error is for a file that cannot be read
// at all; everything else is among the document's problems.
func Load(s Source) (*Loaded, error) {
	src, err := os.ReadFile(s.Path)
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(s.Path))
	if err != nil {
		return nil, err
	}
	l := &Loaded{Path: s.Path, Dir: dir, Size: len(src)}
	text := config.Parse(src)
	l.settleEnvironment(text, s)
	lookup := s.Getenv
	var envErr error
	if l.Env != "prod" {
		var fromFiles func(string) (string, bool)
		fromFiles, envErr = config.EnvFiles(dir)
		lookup = func(name string) (string, bool) {
			if v, ok := s.Getenv(name); ok {
				return v, true
			}
			if fromFiles == nil {
				return "", false
			}
			return fromFiles(name)
		}
	}
	l.File = &File{}
	l.Doc = text.Decode(l.File, config.Options{Name: filepath.Base(s.Path), Env: lookup, Dir: dir})
	if envErr != nil {
		l.Doc.Report("").Errorf("", "%v", envErr)
	}
	l.reportEnvironment(s)
	l.Doc.Finish(l.Env == "prod")
	return l, nil
}

var environments = []string{"prod", "test", "dev"}

// settleEnvironment finds the environment before anything else is resolved,
// since it says which env files count: the file's literal value, else the
// process's WORKER_ENV, else prod.
func (l *Loaded) settleEnvironment(text *config.Text, s Source) {
	l.Env, l.Written = "prod", "prod"
	var first struct {
		Environment template.Text `json:"environment"`
	}
	text.Decode(&first, config.Options{Name: s.Path, Env: s.Getenv, Dir: l.Dir})
	if word, ok := literalText(first.Environment); ok && word != "" {
		if slices.Contains(environments, word) {
			l.Env, l.Written = word, word
		}
		return
	}
	if word := workerEnv(s); first.Environment.IsZero() && slices.Contains(environments, word) {
		l.Env = word
	}
}

// workerEnv is the process's WORKER_ENV. One that is set to nothing is not set:
// then it is prod, which weakens nothing.
func workerEnv(s Source) string {
	w, _ := s.Getenv("WORKER_ENV")
	return w
}

func (l *Loaded) reportEnvironment(s Source) {
	r := l.Doc.Report("")
	word, literal := literalText(l.File.Environment)
	switch {
	case l.File.Environment.IsZero():
		if w := workerEnv(s); w != "" && !slices.Contains(environments, w) {
			r.Errorf("", "the variable WORKER_ENV is none of prod, test and dev")
		}
	case !literal:
		r.Errorf("environment", "stands in the file as it is: prod, test or dev; a variable cannot choose it (leave it out and set WORKER_ENV)")
	case !slices.Contains(environments, word):
		r.Errorf("environment", "%q is no environment; prod, test or dev", word)
	}
}

// literalText is the text of a value that was written out in the file.
func literalText(t template.Text) (string, bool) {
	var b strings.Builder
	for _, p := range t.Pieces {
		if p.Literal || strings.Contains(p.Text, "{{") {
			return "", false
		}
		b.WriteString(p.Text)
	}
	return b.String(), true
}
