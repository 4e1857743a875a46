package app

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/portreeve/portreeve/internal/audit"
	"github.com/portreeve/portreeve/internal/config"
	"github.com/portreeve/portreeve/internal/seal"
)

// DefaultStore is where the store is unless the file says otherwise.
const DefaultStore = "sqlite:portreeve.db"

// StoreURL is where the store is, with the file of SQLite as an absolute path.
func (l *Loaded) StoreURL() string {
	u := DefaultStore
	if s := l.File.Store; s != nil && s.URL != "" {
		u = string(s.URL)
	}
	if file, ok := strings.CutPrefix(u, "sqlite:"); ok {
		return "sqlite:" + l.abs(file)
	}
	return u
}

// storeFile is the file of a SQLite store; "" where the store is another.
func (l *Loaded) storeFile() string {
	file, ok := strings.CutPrefix(l.StoreURL(), "sqlite:")
	if !ok {
		return ""
	}
	return file
}

// newStore reports whether the store is a SQLite file that is not there yet.
func (l *Loaded) newStore() bool {
	file := l.storeFile()
	if file == "" {
		return false
	}
	info, err := os.Stat(file)
	return os.IsNotExist(err) || err == nil && info.Size() == 0
}

// AdminSocket is where the admin listener is when the file says nothing: beside
// the store.
func (l *Loaded) AdminSocket() string {
	at := l.storeFile()
	if at == "" {
		at = l.abs("portreeve.db")
	}
	return strings.TrimSuffix(at, filepath.Ext(at)) + ".sock"
}

// checkStore checks what the file says about the store and its keys.
func (b *builder) checkStore() {
	if s := b.File.Store; s != nil {
		u := b.StoreURL()
		if !strings.HasPrefix(u, "sqlite:") && !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") {
			b.root.Errorf("store", "is neither sqlite:FILE nor postgres://…")
		}
		if u == "sqlite:"+b.Dir {
			b.root.Errorf("store", "names no file; write sqlite:portreeve.db")
		}
		if s.Migrate != "" && s.Migrate != "auto" && s.Migrate != "manual" {
			b.root.Errorf("store.migrate", `"auto" or "manual"`)
		}
		if b.Doc.Has("store.maxStale") && s.MaxStale <= 0 {
			b.root.Errorf("store.maxStale", "is not longer than nothing")
		}
	}
	if t := b.File.Tenants; t != nil && t.AutoCreateMax < 0 {
		b.root.Errorf("tenants.autoCreateMax", "is negative")
	}
	if a := b.File.Audit; a != nil && b.Doc.Has("audit.every") && (a.Every <= 0 || a.Every.Std() > audit.LongestEvery) {
		b.root.Errorf("audit.every", "is not between nothing and an hour")
	}
	b.checkMasterKeys()
}

func (b *builder) checkMasterKeys() {
	f := b.File
	check := func(key string, keys ...seal.Key) bool {
		_, err := seal.New(keys)
		if err != nil {
			b.root.Errorf(key, "%v", err)
		}
		return err == nil
	}
	if !f.MasterKey.Empty() {
		check("masterKey", seal.Key{Secret: f.MasterKey})
		if len(f.MasterKeys) > 0 {
			b.root.Errorf("masterKeys", "masterKey and masterKeys exclude each other")
		}
	}
	good, all := true, f.written()
	for i := range f.MasterKeys {
		good = check("masterKeys"+config.Index(i), seal.Key{ID: f.MasterKeys[i].ID, Secret: f.MasterKeys[i].Key}) && good
	}
	if good && len(f.MasterKeys) > 1 {
		check("masterKeys", all...)
	}
	if !f.usesStore() || !f.MasterKey.Empty() || len(f.MasterKeys) > 0 {
		return
	}
	switch {
	case b.Env == "prod":
		b.masterKeyMissing("is missing: serve refuses to start in prod without the key that seals the store. `portreeve masterkey new` prints one" + b.orWithoutStore())
	case b.storeFile() == "":
		b.masterKeyMissing("is missing: one is made by itself beside a SQLite store alone. `portreeve masterkey new` prints one" + b.orWithoutStore())
	}
}

// orWithoutStore is how to do without a store, where nothing but what is
// implied asks for one.
func (b *builder) orWithoutStore() string {
	f := b.File
	if f.writesStore() || f.storesThings(false) {
		return ""
	}
	var keys []string
	if f.TenantAPI == nil {
		keys = append(keys, "tenantApi: false")
	}
	if f.MFA == nil {
		keys = append(keys, "mfa: false")
	}
	if len(keys) > 1 {
		return "; " + strings.Join(keys, " and ") + " do without the store"
	}
	return "; " + strings.Join(keys, "") + " does without the store"
}

// masterKeyMissing is a warning to who checks and the end for who serves: a
// file is often checked where its secrets are not.
func (b *builder) masterKeyMissing(text string) {
	if b.deps.Serves {
		b.root.Errorf("masterKey", "%s", text)
		return
	}
	b.root.Warnf("masterKey", "%s", text)
}

// headerName reports whether API keys can be read in a header of this name: one
// that nothing else is read from, and that comes as it was sent.
func headerName(s string) bool {
	switch strings.ToLower(s) {
	case "authorization", "cookie", "cf-access-jwt-assertion", "host", "connection", "content-length", "content-type", "transfer-encoding", "te", "upgrade", "origin", "forwarded":
		return false
	}
	folded := strings.ToLower(s)
	if strings.HasPrefix(folded, "x-portreeve-") || strings.HasPrefix(folded, "x-forwarded-") {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}
