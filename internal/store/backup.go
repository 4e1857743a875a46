package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy of the store into a new file, which is a
// SQLite store that can be opened as it is, whatever the engine, and verifies
// it. It refuses a file that exists. Serving goes on meanwhile. The file holds
// what the store holds: sealed columns stay sealed, and the master key is not
// in it.
func (db *DB) Backup(ctx context.Context, file string) (err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // where the operator said
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil { // half a backup is worse than none
			for _, f := range []string{file, file + "-wal", file + "-shm", file + "-journal"} {
				_ = os.Remove(f)
			}
		}
	}()
	write := db.backupSQLite
	if db.engine == PostgreSQL {
		write = db.backupPostgres
	}
	if err := write(ctx, file); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err := VerifyBackup(ctx, file); err != nil {
		return err
	}
	if err := errors.Join(flush(file), flush(filepath.Dir(file))); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// backupSQLite has SQLite write one snapshot into the empty file, on a
// connection of its own, so that writers of this process do not wait.
func (db *DB) backupSQLite(ctx context.Context, file string) error {
	pool, err := sql.Open("sqlite", sqliteDSN(db.file, "deferred"))
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = pool.ExecContext(ctx, `VACUUM INTO $1`, file)
	return classify(err)
}

// backupPostgres copies one snapshot into a SQLite store: a backup that needs no
// PostgreSQL tool of the server's version, and is read like the other.
func (db *DB) backupPostgres(ctx context.Context, file string) error {
	to, err := Open(ctx, Options{URL: "sqlite:" + file, Now: db.now, Log: db.log})
	if err != nil {
		return err
	}
	_, err = Copy(ctx, db, to)
	if err == nil { // one file, without a log beside it
		var mode string
		err = errors.Join(to.read.Close(), classify(to.write.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode)))
	}
	return errors.Join(err, to.Close())
}

// Verified is what a backup holds.
type Verified struct {
	Status
	Tables []Copied
}

// VerifyBackup reads a backup from end to end without changing it: the file is
// sound, references point somewhere, this binary knows its migration, and every
// row can be read.
func VerifyBackup(ctx context.Context, file string) (Verified, error) {
	v, err := verify(ctx, file)
	if err != nil {
		return v, fmt.Errorf("verify backup: %w", err)
	}
	return v, nil
}

func verify(ctx context.Context, file string) (v Verified, err error) {
	if fi, err := os.Stat(file); err != nil {
		return v, err
	} else if !fi.Mode().IsRegular() || fi.Size() == 0 {
		return v, fmt.Errorf("%s: %w", file, fs.ErrInvalid)
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return v, err
	}
	pool, err := sql.Open("sqlite", sqliteDSN(path, "deferred", "query_only(1)")+"&mode=ro")
	if err != nil {
		return v, err
	}
	defer pool.Close()
	db := &DB{engine: SQLite, file: path, write: pool, read: pool}
	db.defaults(Options{})
	db.bound = 0
	if v.Status, err = db.Status(ctx); err != nil {
		return v, err
	}
	switch _, err := v.verdict(false); {
	case err != nil:
		return v, err
	case v.Version == 0:
		return v, errors.New("it is no store of Portreeve")
	}
	return v, db.Read(ctx, func(tx *Tx) error {
		v.Tables, err = inspect(tx)
		return err
	})
}

func inspect(tx *Tx) ([]Copied, error) {
	var said string
	if err := tx.Row(`SELECT integrity_check FROM pragma_integrity_check LIMIT 1`).Scan(&said); err != nil {
		return nil, err
	} else if said != "ok" {
		return nil, fmt.Errorf("the file is damaged: %s", said)
	}
	var broken int
	if err := tx.Row(`SELECT count(*) FROM pragma_foreign_key_check`).Scan(&broken); err != nil {
		return nil, err
	} else if broken > 0 {
		return nil, fmt.Errorf("%d rows refer to rows that are not there", broken)
	}
	all, err := describe(tx)
	if err != nil {
		return nil, err
	}
	var out []Copied
	for _, t := range all {
		d, err := t.digest(tx)
		if err != nil {
			return nil, err
		}
		out = append(out, Copied{t.Name, d.rows, d.String()})
	}
	return out, nil
}

// flush has the system write a file or a folder to disk.
func flush(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY, 0) //nolint:gosec // where the operator said
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil && !unsyncable(err) {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// unsyncable reports whether this system does not sync what was opened for
// reading, or folders.
func unsyncable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, errors.ErrUnsupported)
}
