//go:build unix

package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Server is a PostgreSQL server of a test's own, on a Unix socket.
type Server struct {
	URL string // of its database "postgres"

	dir, bin string
	as       *syscall.SysProcAttr
	leash    io.Closer
	ended    chan struct{}
}

// StartServer starts a server that the test may Kill and Start again.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(s.remove)
	return s
}

func start() (*Server, error) {
	s := &Server{}
	var err error
	if s.bin, err = programs(); err != nil {
		return nil, err
	}
	if s.as, err = unprivileged(); err != nil {
		return nil, err
	}
	// A socket's path has at most 107 bytes, which a test's own folder may exceed.
	if s.dir, err = os.MkdirTemp("", "portreeve-pg-"); err != nil {
		return nil, err
	}
	if s.as.Credential != nil {
		if err := os.Chown(s.dir, int(s.as.Credential.Uid), int(s.as.Credential.Gid)); err != nil {
			return nil, err
		}
	}
	init := exec.Command(filepath.Join(s.bin, "initdb"), "--no-sync", "--auth=trust", "--username=portreeve", "--encoding=UTF8", "--locale=C", //nolint:gosec,noctx // a test's server
		"--pgdata="+filepath.Join(s.dir, "data"))
	init.SysProcAttr, init.Dir = s.as, s.dir
	if out, err := init.CombinedOutput(); err != nil {
		os.RemoveAll(s.dir)
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	s.URL = "postgres://portreeve@/postgres?host=" + url.QueryEscape(s.dir) + "&sslmode=disable"
	if err := s.start(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// leash runs the server under a shell that waits for the end of its input, which
// comes however this process ends: then the server is killed and its folder
// removed. A parent-death signal would do neither for the folder, and would
// fire when the thread that started the server ends.
const leash = `trap '' INT TERM HUP QUIT
"$1/postgres" -D "$2/data" -k "$2" -h '' -F -c max_connections=400 -c shared_buffers=32MB -c full_page_writes=off -c autovacuum=off -c logging_collector=off >>"$2/log" 2>&1 </dev/null &
server=$!
read -r word
kill -QUIT $server 2>/dev/null
wait $server 2>/dev/null
if [ "$word" = keep ]; then rm -f "$2/data/postmaster.pid"; else rm -rf "$2"; fi`

func (s *Server) start() error {
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	sh := exec.Command("sh", "-c", leash, "sh", s.bin, s.dir) //nolint:gosec,noctx // a test's server
	sh.Stdin, sh.SysProcAttr, sh.Dir = in, s.as, s.dir
	if err := sh.Start(); err != nil {
		return errors.Join(err, in.Close(), out.Close())
	}
	_ = in.Close()
	ended := make(chan struct{})
	s.leash, s.ended = out, ended
	go func() {
		defer close(ended)
		_ = sh.Wait()
	}()
	return s.await(30 * time.Second)
}

// await polls until the server answers.
func (s *Server) await(limit time.Duration) error {
	db, err := sql.Open("pgx", s.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, bytes.TrimSpace(log))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Kill ends the server at once, connections and all, and keeps its data.
func (s *Server) Kill() {
	if w, ok := s.leash.(io.Writer); ok {
		_, _ = io.WriteString(w, "keep\n")
	}
	s.release()
}

// Start starts it again after Kill.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) release() {
	if s.leash != nil {
		_ = s.leash.Close()
		<-s.ended
		s.leash = nil
	}
}

func (s *Server) remove() {
	s.release()
	_ = os.RemoveAll(s.dir)
}

// programs finds the folder of initdb and postgres, which Debian keeps off the path.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "postgres")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("initdb is not installed")
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged says as whom the server runs: it refuses to be root.
func unprivileged() (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests
	if os.Geteuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, nil
	}
	return nil, errors.New("run as root, and there is no user postgres or nobody for it to run as")
}
