package properties

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/portreeve/portreeve/test/peer"
)

// nginxConf makes nginx say what it takes a target for: by the location that it
// chooses, and by its decoded, merged and resolved $uri.
const nginxConf = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
	keepalive_requests 1000000;
	server {
		listen unix:socket;
		default_type text/plain;
		location / { return 200 "open $uri"; }
		location = /admin/users { return 200 "guarded $uri"; }
		location /admin/secrets/ { return 200 "guarded $uri"; }
	}
}
`

// nginx is a running one.
type nginx struct {
	socket string
	c      net.Conn
	r      *bufio.Reader
}

// startNginx runs Debian's nginx until the test ends, on a unix socket, so that
// it needs no port.
func startNginx(t *testing.T) *nginx {
	t.Helper()
	program := peer.Program(t, "nginx")
	dir, err := os.MkdirTemp("", "nginx") // t.TempDir may be longer than a socket's name can be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "nginx.conf"), nginxConf)
	cmd := exec.CommandContext(t.Context(), program, "-e", "stderr", "-p", dir, "-c", "nginx.conf")
	cmd.Dir = dir // the socket is relative to it
	says, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed by the test's context
	var said strings.Builder
	for r := bufio.NewReader(says); ; {
		line, err := r.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			t.Fatalf("nginx did not start: %v\n%s", err, said.String())
		}
		if strings.Contains(line, "getrlimit(") { // its sockets are open by then
			return &nginx{socket: filepath.Join(dir, "socket")}
		}
	}
}

// takes is what nginx takes a target for; ok is false when it refuses it.
func (n *nginx) takes(t fataler, target string) (guarded bool, uri string, ok bool) {
	t.Helper()
	for range 2 {
		if n.c == nil {
			c, err := net.Dial("unix", n.socket)
			if err != nil {
				t.Fatalf("nginx: %v", err)
			}
			n.c, n.r = c, bufio.NewReader(c)
		}
		_ = n.c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(n.c, "GET "+target+" HTTP/1.1\r\nHost: strict.test\r\n\r\n")
		res, err := http.ReadResponse(n.r, nil)
		if err != nil {
			_ = n.c.Close()
			n.c = nil
			continue
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("nginx: %v", err)
		}
		if res.Close {
			_ = n.c.Close()
			n.c = nil
		}
		word, uri, _ := strings.Cut(string(body), " ")
		return word == "guarded", uri, res.StatusCode == 200
	}
	t.Fatalf("nginx gives no answer to %q", target)
	return false, "", false
}

// TestP1BesideNginx has another reader look at the same targets: what nginx
// takes for a protected path never gets through without the permission, as it
// was sent or as it was forwarded, and nginx reads what was forwarded as the
// path that was decided about.
func TestP1BesideNginx(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		n := startNginx(t)
		d := start(t, e, pathConfig(), newKeys(t).files())
		c := d.client(t)
		if guarded, uri, ok := n.takes(t, "/public/%2e%2e/admin//users"); !guarded || uri != "/admin/users" || !ok {
			t.Fatalf("nginx takes dots and slashes for %q", uri)
		}
		met := 0
		rapid.Check(t, func(t *rapid.T) {
			for range 5 {
				target := target(t, "strict.test", wanted)
				a := c.get(t, "strict.test", target)
				before, _, _ := n.takes(t, target)
				if before {
					met++
				}
				if a.saw == nil {
					continue
				}
				got, _, _ := strings.Cut(a.saw.Target, "?")
				after, uri, ok := n.takes(t, a.saw.Target)
				want, err := url.PathUnescape(got)
				switch {
				case before || after:
					t.Fatalf("%q: forwarded as %q without the permission; nginx takes it for %q", target, a.saw.Target, uri)
				case err != nil || !ok || uri != want:
					t.Fatalf("%q: forwarded as %q, which nginx reads as %q (%t)", target, a.saw.Target, uri, ok)
				}
			}
		})
		if met < 5 {
			t.Errorf("only %d targets were protected ones to nginx", met)
		}
	})
}
