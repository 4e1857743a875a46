package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// SecretFile is a file that {{file.…}} reads.
type SecretFile struct {
	Path      string // absolute
	Reference string // how the configuration names it
	Named     bool   // the configuration does already
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$`)

// FindSecret finds the file of a secret: the one of that name that the
// configuration reads by {{file.…}}, else secrets/NAME beside it. A name with
// a slash in it is a path, relative to the configuration. Without a
// configuration (s.Path is "") the working directory is its folder.
func FindSecret(s Source, name string) (*SecretFile, error) {
	l := &Loaded{}
	var named []string
	var err error
	if s.Path == "" {
		l.Dir, err = os.Getwd()
	} else if l, err = Load(s); err == nil {
		named = l.Doc.Files()
	}
	if err != nil {
		return nil, err
	}
	path := l.abs(filepath.Join("secrets", name))
	switch at := matching(named, name); {
	case strings.ContainsRune(name, '/') || strings.ContainsRune(name, filepath.Separator):
		path = l.abs(name)
	case !secretName.MatchString(name):
		return nil, fmt.Errorf("%q is no name for a file: letters, digits, dot, - and _", name)
	case len(at) > 1:
		return nil, fmt.Errorf("the configuration reads %s; write the path of the one that is meant", strings.Join(at, " and "))
	case len(at) == 1:
		path = at[0]
	}
	f := &SecretFile{Path: filepath.Clean(path), Reference: path}
	for _, n := range named {
		f.Named = f.Named || n == f.Path
	}
	if rel, err := filepath.Rel(l.Dir, f.Path); err == nil && filepath.IsLocal(rel) {
		f.Reference = rel
	}
	f.Reference = "{{file." + filepath.ToSlash(f.Reference) + "}}"
	return f, nil
}

// matching lists the files that are called name.
func matching(files []string, name string) (out []string) {
	for _, f := range files {
		if filepath.Base(f) == name {
			out = append(out, f)
		}
	}
	return out
}

// Write replaces the file's content in one step, mode 0600: a reader sees the
// old value or the new one. A folder that is missing is made, mode 0700; a
// symbolic link stays one.
func (f *SecretFile) Write(value []byte) error {
	if len(value) == 0 {
		return errors.New("the secret is empty; nothing was written")
	}
	path := f.Path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".portreeve-secret-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(value)
	err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
