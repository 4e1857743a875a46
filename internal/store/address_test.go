package store

import (
	"strings"
	"testing"
)

// A password whose @ or / is not escaped would stand in errors as a host or a
// database.
func TestAPasswordIsNotTakenForAnythingElse(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://u:a@b/s3cret@127.0.0.1:1/db", "postgres://u:a/s3cret@127.0.0.1:1/db", "postgres://u:a#s3cret@127.0.0.1:1/db",
		"postgres://u:a?s3cret@127.0.0.1:1/db", "postgres://u:a@b@s3cret@127.0.0.1:1/db", "postgres://u:a@b/s3cret@h/db?sslmode=%zz",
		"postgres://u:s3%zzcret@h/db", "postgres://u:s3cret@h:port/db", "postgres://h/db?password=s3cret&sslmode=no",
	} {
		_, err := Open(t.Context(), Options{URL: address})
		if err == nil || strings.Contains(err.Error(), "s3") || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{
		"postgres://u:p@h/db", "postgres://u@h:5432/db", "postgres://h:5432/db?user=u@corp", "postgres:///db?host=/run/pg&user=u@corp", "postgres://u:p@h/db?application_name=a@b",
		"postgres://u:p%40%2F@h1:1,h2:2/db", "postgres://h1:1,h2:2/db?user=a@b", "postgres://[::1]:5432/db?user=a@b", "postgres://u:p@[::1]:5432/db?user=a@b", "postgres://u:p@/db",
	} {
		if unescaped(address) {
			t.Errorf("%s is refused", address)
		}
	}
}
