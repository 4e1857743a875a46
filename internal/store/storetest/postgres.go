package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/portreeve/portreeve/internal/store"
)

// shared is the server of this process and the name of a migrated database on
// it, of which each test gets a copy. It holds the server's leash: a file that
// nobody holds is closed, and then the server ends.
type shared struct {
	url, template string
	server        *Server
}

var server = sync.OnceValues(func() (shared, error) {
	address := os.Getenv("PORTREEVE_TEST_POSTGRES")
	var own *Server
	if address == "" {
		var err error
		if own, err = start(); err != nil {
			return shared{}, err
		}
		address = own.URL
	}
	template := name("template")
	if err := admin(address, `CREATE DATABASE `+template); err != nil {
		return shared{}, err
	}
	to, err := withDatabase(address, template)
	if err != nil {
		return shared{}, err
	}
	db, err := store.Open(context.Background(), store.Options{URL: to})
	if err != nil {
		return shared{}, err
	}
	return shared{address, template, own}, db.Close()
})

// PostgresURL is the address of a fresh store in a database.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return fresh(t, func(s shared) string { return ` TEMPLATE ` + s.template })
}

// EmptyPostgresURL is the address of a database without any table.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return fresh(t, func(shared) string { return ` TEMPLATE template0` })
}

func fresh(t testing.TB, from func(shared) string) string {
	t.Helper()
	s, err := server()
	if err != nil {
		missing(t, err)
	}
	db := name("test")
	if err := admin(s.url, `CREATE DATABASE `+db+from(s)); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	t.Cleanup(func() {
		if err := admin(s.url, `DROP DATABASE `+db+` WITH (FORCE)`); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	to, err := withDatabase(s.url, db)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func name(kind string) string { return "portreeve_" + kind + "_" + strings.ToLower(rand.Text()[:12]) }

func withDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("PORTREEVE_TEST_POSTGRES: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// admin runs one statement on the server's own database.
func admin(address, statement string) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("PORTREEVE_PEERS") == "required" {
		t.Fatalf("PostgreSQL: %v (make deps)", err)
	}
	t.Skipf("PostgreSQL: %v (make deps)", err)
}
