//go:build !unix

package storetest

import (
	"errors"
	"testing"
)

// Server is a PostgreSQL server of a test's own: on Unix alone.
type Server struct{ URL string }

// StartServer skips the test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	_, err := start()
	missing(t, err)
	return nil
}

// Kill does nothing.
func (s *Server) Kill() {}

// Start does nothing.
func (s *Server) Start(testing.TB) {}

func start() (*Server, error) {
	return nil, errors.New("a server is started on Unix alone; name one in PORTREEVE_TEST_POSTGRES")
}
