package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const maxFile = 1 << 20 // of a {{file.…}}

// variable reads an environment variable; one that is not set is reported.
func (d *Document) variable(name, path string) (value string, ok bool) {
	if value, ok = d.env(name); !ok {
		d.report(path, false, "the variable "+name+" is not set")
	}
	return value, ok
}

func (d *Document) env(name string) (string, bool) {
	if d.options.Env == nil {
		return "", false
	}
	value, set := d.options.Env(name)
	d.fromOutside(value)
	return value, set
}

// environment reads {{env.NAME}} or {{env.NAME:-fallback}}. As in a shell, the
// fallback also stands in for a variable that is set to nothing.
func (d *Document) environment(name, fallback string, has bool, path string) (st stretch, usedFallback, ok bool) {
	name = strings.TrimSpace(name)
	if !variable.MatchString(name) {
		d.report(path, false, "{{env.…}} must name a variable of letters, digits and _")
		return stretch{literal: true, outside: true}, false, false
	}
	if strings.Contains(fallback, "{{") {
		d.report(path, false, "the default of {{env."+name+":-…}} cannot hold {{")
		return stretch{literal: true, outside: true}, false, false
	}
	if !has {
		value, ok := d.variable(name, path)
		return stretch{value, true, true}, false, ok
	}
	if value, set := d.env(name); set && value != "" {
		return stretch{value, true, true}, false, true
	}
	return stretch{fallback, true, true}, true, true
}

// file reads a {{file.path}} without its last newline. Each file is read once
// per document, so that one load never mixes two contents.
func (d *Document) file(name, path string) (text string, ok bool) {
	name = strings.TrimSpace(name)
	if name == "" || strings.ContainsRune(name, 0) {
		d.report(path, false, "{{file.…}} must name a file")
		return "", false
	}
	full := name
	if !filepath.IsAbs(full) {
		full = filepath.Join(d.options.Dir, full)
	}
	if absolute, err := filepath.Abs(full); err == nil {
		full = absolute
	}
	got, known := d.contents[full]
	if !known {
		got = d.readFile(full)
		d.contents[full] = got
		d.files = append(d.files, full)
	}
	if got.problem != "" {
		d.report(path, false, "the file "+shown(name)+" "+got.problem)
		return "", false
	}
	d.fromOutside(got.text)
	return got.text, true
}

type content struct{ text, problem string }

func (d *Document) readFile(full string) content {
	read := d.options.ReadFile
	if read == nil {
		read = readBounded
	}
	b, err := read(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return content{problem: "does not exist"}
	case errors.Is(err, fs.ErrPermission):
		return content{problem: "may not be read (permission denied)"}
	case errors.Is(err, errTooLarge), len(b) > maxFile:
		return content{problem: "is larger than 1 MiB"}
	case err != nil:
		return content{problem: "cannot be read"}
	}
	text := strings.TrimSuffix(string(b), "\n")
	return content{text: strings.TrimSuffix(text, "\r")}
}

var errTooLarge = errors.New("file too large")

// readBounded is os.ReadFile for regular files of bounded size: a pipe or
// device named by mistake must not hang the start.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Size() > maxFile {
		return nil, errTooLarge
	}
	return os.ReadFile(path)
}

// pem turns the two characters \n of a PEM value into line breaks: that is how
// such a value survives environment files and JSON.
func pem(s string) string {
	if strings.Contains(s, "-----BEGIN ") {
		return strings.NewReplacer(`\r\n`, "\n", `\n`, "\n").Replace(s)
	}
	return s
}
