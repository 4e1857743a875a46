package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/portreeve/portreeve/internal/seal"
	"github.com/portreeve/portreeve/internal/secret"
)

// keyFile is where the master key of a SQLite store is that the file names none
// for; "" for any other store, and in prod.
func (l *Loaded) keyFile() string {
	if file := l.storeFile(); file != "" && l.Env != "prod" {
		return file + ".key"
	}
	return ""
}

// masterKeys are the keys of the file, else the one beside the store. With create
// one is made there if the store is new and the key is not there yet. None at
// all is no error: the store says whether it needs one.
func (l *Loaded) masterKeys(create bool) ([]seal.Key, error) {
	out, file := l.File.written(), l.keyFile()
	if len(out) > 0 || file == "" {
		return out, nil
	}
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && create {
		if l.newStore() {
			raw, err = makeKeyFile(file)
		} else { // another process may have made both meanwhile, the key first
			raw, err = os.ReadFile(file)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the master key beside the store: %w", err)
	}
	return []seal.Key{{Secret: secret.New(strings.TrimSpace(string(raw)))}}, nil
}

// written are the master keys of the file. One without an id gets one that is
// made of the key.
func (f *File) written() (out []seal.Key) {
	if !f.MasterKey.Empty() {
		return []seal.Key{{Secret: f.MasterKey}}
	}
	for _, k := range f.MasterKeys {
		out = append(out, seal.Key{ID: k.ID, Secret: k.Key})
	}
	return out
}

// makeKeyFile writes a new key, mode 0600, unless somebody else was quicker. It
// is in place before the store is: a store never has a key that is lost. The
// key comes whole or not at all, since another process may read at once.
func makeKeyFile(file string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".portreeve-key-*") // made with mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(seal.NewKey() + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(file)
}
