package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/app"
	"github.com/portreeve/portreeve/test/peer"
)

const nginxFrame = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
	client_max_body_size 0;
	@SERVERS@
}
`

// startNginx runs Debian's nginx on a unix socket until the test ends, and
// returns its folder; the socket there is called socket.
func startNginx(t *testing.T, servers string) (dir string) {
	t.Helper()
	program := peer.Program(t, "nginx")
	dir, err := os.MkdirTemp("", "nginx") // t.TempDir may be longer than a socket's name can be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(strings.ReplaceAll(nginxFrame, "@SERVERS@", servers)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-e", "stderr", "-p", dir, "-c", "nginx.conf")
	cmd.Dir = dir
	says, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	r := bufio.NewReader(says)
	t.Cleanup(func() { // killed by the test's context
		_, _ = io.Copy(&said, r)
		_ = cmd.Wait()
		for line := range strings.Lines(said.String()) {
			if strings.Contains(line, "[error]") || strings.Contains(line, "[crit]") || strings.Contains(line, "[alert]") {
				t.Errorf("nginx complains: %s", line)
			}
		}
	})
	for {
		line, err := r.ReadString('\n')
		said.WriteString(line)
		if err != nil {
			t.Fatalf("nginx did not start: %v\n%s", err, said.String())
		}
		if strings.Contains(line, "getrlimit(") { // its sockets are open by then
			return dir
		}
	}
}

// nginxFiles is an application: files with validators and ranges, uploads by
// PUT, and answers in chunks where the client takes gzip.
const nginxFiles = `server {
		listen unix:socket;
		root files;
		log_not_found off;
		default_type text/plain;
		add_header X-Seen "$http_x_portreeve_subject|$http_authorization|$connection_requests|$http_x_forwarded_for";
		rewrite ^/(?:open|closed|files)(/.*)$ $1;
		location / { dav_methods PUT DELETE; create_full_put_path on; }
		location /zip/ { alias files/; gzip on; gzip_types *; gzip_min_length 1; gzip_http_version 1.1; }
		location /moved { return 302 /elsewhere; }
		location /nothing { return 204; }
		location = /hang-up { return 444; }
	}`

const beforeNginx = `environment: test
tls: {cert: a.pem, key: a.key}
jwt: {secret: 0123456789abcdef0123456789abcdef}
routes:
  - {path: /open/*, method: any, upstream: "unix:@NGINX@/socket"}
  - {path: /closed/*, method: any, requireAuth: true, upstream: "unix:@NGINX@/socket"}
`

// bearerOf is a credential for an edge whose file has a jwt secret.
func bearerOf(t testing.TB, e *edge, who string) string {
	t.Helper()
	token, err := app.Token(app.Source{Path: filepath.Join(e.Dir, "portreeve.yaml"), Getenv: func(string) (string, bool) { return "", false }},
		app.TokenRequest{Subject: who, Expires: time.Hour, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// send is ask with a body; its length is told unless it is negative.
func send(t testing.TB, c *http.Client, method, url string, body []byte, length int64, fields ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if req.ContentLength = length; length < 0 {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer{resp.StatusCode, resp.Proto, resp.Header, string(raw), resp.TLS}
}

// pattern is bytes that show where they were cut or swapped.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)*7
	}
	return b
}

// nginx is the application, over connections that are kept.
func TestNginxAsTheApplication(t *testing.T) {
	t.Parallel()
	dir := startNginx(t, nginxFiles)
	if err := os.Mkdir(filepath.Join(dir, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t, "ca")
	e := start(t, strings.ReplaceAll(beforeNginx, "@NGINX@", dir), ca.issue(t, time.Hour, "a.example.com").files("a"))
	for _, h2 := range []bool{false, true} {
		for _, side := range []string{"open", "closed"} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", side, h2), func(t *testing.T) {
				c := e.client(&tls.Config{RootCAs: ca.Pool}, h2)
				c.Transport.(*http.Transport).DisableCompression = true
				c.Transport.(*http.Transport).ExpectContinueTimeout = 5 * time.Second
				base := "https://a.example.com/" + side
				var auth []string
				if side == "closed" {
					if a := send(t, c, "PUT", base+"/stolen", []byte("x"), 1); a.Status != 401 {
						t.Errorf("without credential: %d", a.Status)
					}
					if _, err := os.Stat(filepath.Join(dir, "files", "stolen")); err == nil {
						t.Error("nginx took a file from nobody")
					}
					auth = []string{"Authorization", bearerOf(t, e, "amy")}
				}
				do := func(method, target string, body []byte, length int64, fields ...string) answer {
					t.Helper()
					return send(t, c, method, base+target, body, length, append(fields, auth...)...)
				}
				name := fmt.Sprintf("/%s%t", side, h2)
				large := pattern(5<<20 + 3)
				for _, up := range []struct {
					name   string
					body   []byte
					length int64
					fields []string
				}{
					{"small", []byte("hello, world"), 12, nil}, {"empty", nil, 0, nil}, {"large", large, int64(len(large)), nil},
					{"in chunks", large[:1<<20], -1, nil}, {"expected", large[:1<<20], 1 << 20, []string{"Expect", "100-continue"}},
				} {
					at := name + strings.ReplaceAll(up.name, " ", "-")
					if a := do("PUT", at, up.body, up.length, up.fields...); a.Status != 201 {
						t.Fatalf("PUT %s: %d %s", up.name, a.Status, a.Body)
					}
					for _, gz := range []string{"", "/zip"} {
						if a := do("GET", gz+at, nil, 0); a.Status != 200 || a.Body != string(up.body) || a.Header.Get("Content-Length") != strconv.Itoa(len(up.body)) {
							t.Errorf("GET %s: %d, %d bytes", up.name, a.Status, len(a.Body))
						}
					}
				}
				first := do("GET", name+"small", nil, 0)
				if want := map[string]string{"open": "|", "closed": "amy|"}[side]; !strings.HasPrefix(first.Header.Get("X-Seen"), want+"|") {
					t.Errorf("nginx saw %q", first.Header.Get("X-Seen"))
				}
				if cc := first.Header.Get("Cache-Control"); (cc == "private") != (side == "closed") {
					t.Errorf("Cache-Control: %q", cc)
				}
				tag, date := first.Header.Get("Etag"), first.Header.Get("Last-Modified")
				for _, q := range []struct {
					what, method, target string
					fields               []string
					status               int
					length, body, ranged string
				}{
					{"HEAD", "HEAD", "small", nil, 200, "12", "", ""},
					{"HEAD of much", "HEAD", "large", nil, 200, strconv.Itoa(len(large)), "", ""},
					{"by its tag", "GET", "small", []string{"If-None-Match", tag}, 304, "", "", ""},
					{"by its date", "GET", "small", []string{"If-Modified-Since", date}, 304, "", "", ""},
					{"HEAD by its tag", "HEAD", "small", []string{"If-None-Match", tag}, 304, "", "", ""},
					{"another's tag", "GET", "small", []string{"If-Match", `"x"`}, 412, "-", "-", ""},
					{"a range", "GET", "small", []string{"Range", "bytes=7-11"}, 206, "5", "world", "bytes 7-11/12"},
					{"a range from the end", "GET", "small", []string{"Range", "bytes=-5"}, 206, "5", "world", "bytes 7-11/12"},
					{"a range, if it is the same", "GET", "small", []string{"Range", "bytes=0-4", "If-Range", tag}, 206, "5", "hello", "bytes 0-4/12"},
					{"a range, if it were another", "GET", "small", []string{"Range", "bytes=0-4", "If-Range", `"x"`}, 200, "12", "hello, world", ""},
					{"HEAD of a range", "HEAD", "small", []string{"Range", "bytes=0-4"}, 206, "5", "", "bytes 0-4/12"},
					{"a range beyond", "GET", "small", []string{"Range", "bytes=90-"}, 416, "-", "-", "bytes */12"},
					{"a range of much", "GET", "large", []string{"Range", "bytes=1048576-2097151"}, 206, "1048576", string(large[1<<20 : 2<<20]), fmt.Sprintf("bytes 1048576-2097151/%d", len(large))},
				} {
					a := do(q.method, name+q.target, nil, 0, q.fields...)
					if a.Status != q.status || q.length != "-" && a.Header.Get("Content-Length") != q.length || q.body != "-" && a.Body != q.body || a.Header.Get("Content-Range") != q.ranged {
						t.Errorf("%s: %d, length %q, range %q, %d bytes", q.what, a.Status, a.Header.Get("Content-Length"), a.Header.Get("Content-Range"), len(a.Body))
					}
				}
				if a := do("GET", name+"small", nil, 0, "Range", "bytes=0-0,11-11"); a.Status != 206 || !strings.HasPrefix(a.Header.Get("Content-Type"), "multipart/byteranges") || strings.Count(a.Body, "Content-Range:") != 2 {
					t.Errorf("two ranges: %d %q", a.Status, a.Body)
				}
				if a := do("GET", "/zip"+name+"large", nil, 0, "Accept-Encoding", "gzip"); a.Header.Get("Content-Encoding") != "gzip" || a.Header.Get("Content-Length") != "" || len(a.Body) < 100 {
					t.Errorf("chunks: %d %v", a.Status, a.Header)
				}
				if a := do("GET", "/moved", nil, 0); a.Status != 302 {
					t.Errorf("moved: %d", a.Status)
				}
				if a := do("GET", "/nothing", nil, 0); a.Status != 204 || a.Body != "" {
					t.Errorf("nothing: %d", a.Status)
				}
				if a := do("POST", "/hang-up", nil, 0); a.Status != 502 {
					t.Errorf("nginx hangs up: %d", a.Status)
				}
				if a := do("DELETE", name+"small", nil, 0); a.Status != 204 {
					t.Errorf("DELETE: %d", a.Status)
				}
				a := do("GET", name+"small", nil, 0)
				if a.Status != 404 {
					t.Errorf("afterwards: %d", a.Status)
				}
				b := do("GET", name+"large", nil, 0)
				if seen := strings.Split(b.Header.Get("X-Seen"), "|"); len(seen) < 3 || seen[2] == "1" {
					t.Errorf("the connection to nginx was not kept: %q", seen)
				}
			})
		}
	}
}

// nginxFront is nginx as the client: by connections that are kept, or by one
// for each request, from an address that is trusted and from one that is not.
const nginxFront = `upstream a { server @ADDR@; keepalive 4; } # nginx shares kept connections by upstream, whatever they are bound to
	upstream b { server @ADDR@; keepalive 4; }
	upstream c { server @ADDR@; keepalive 4; }
	server {
		listen unix:socket;
		proxy_http_version 1.1;
		proxy_set_header Connection "";
		proxy_set_header Host a.example.com;
		proxy_set_header X-Forwarded-For 203.0.113.7;
		proxy_set_header X-Forwarded-Proto http;
		proxy_set_header X-Forwarded-Host evil.example.com;
		proxy_set_header X-Real-IP 203.0.113.8;
		proxy_ssl_server_name on;
		proxy_ssl_name a.example.com;
		proxy_ssl_verify on;
		proxy_ssl_trusted_certificate @CA@;
		location /trusted/ { proxy_pass https://a/; proxy_bind 127.0.0.3; }
		location /stranger/ { proxy_pass https://b/; proxy_bind 127.0.0.4; }
		location /unbuffered/ { proxy_pass https://c/; proxy_request_buffering off; proxy_buffering off; }
		location /old/ { proxy_pass https://@ADDR@/; proxy_http_version 1.0; }
	}`

const behindNginx = `environment: test
tls: {cert: a.pem, key: a.key}
trustedProxies: [{from: 127.0.0.3, header: X-Forwarded-For}]
jwt: {secret: 0123456789abcdef0123456789abcdef}
routes:
  - {path: /open, method: any, upstream: "@ECHO@"}
  - {path: /closed, method: any, requireAuth: true, upstream: "@ECHO@"}
  - {path: /who, method: get, data: {ip: "{{request.ip}}"}}
  - {path: /files/*, method: any, upstream: "unix:@NGINX@/socket"}
`

// nginx is the client, and at the same time the application behind.
func TestNginxAsTheClient(t *testing.T) {
	t.Parallel()
	files := startNginx(t, nginxFiles)
	large := pattern(3<<20 + 1)
	if err := os.MkdirAll(filepath.Join(files, "files"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files, "files", "large"), large, 0o600); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t, "ca")
	e := start(t, strings.ReplaceAll(behindNginx, "@NGINX@", files), with(ca.issue(t, time.Hour, "a.example.com").files("a"), map[string]string{"ca.pem": ca.PEM}))
	front := startNginx(t, strings.NewReplacer("@ADDR@", e.Addr, "@CA@", filepath.Join(e.Dir, "ca.pem")).Replace(nginxFront))
	tr := &http.Transport{DisableCompression: true, ExpectContinueTimeout: 5 * time.Second, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(front, "socket"))
	}}
	t.Cleanup(tr.CloseIdleConnections)
	c := &http.Client{Transport: tr, Timeout: 20 * time.Second}
	token := bearerOf(t, e, "amy")
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	for way, client := range map[string]string{"trusted": "203.0.113.7", "stranger": "127.0.0.4", "unbuffered": "127.0.0.1", "old": "127.0.0.1"} {
		base := "http://nginx/" + way
		for range 3 {
			if a := send(t, c, "GET", base+"/who", nil, 0); !strings.Contains(a.Body, `"`+client+`"`) {
				t.Errorf("%s: the client is %s, want %s", way, a.Body, client)
			}
		}
		got := send(t, c, "GET", base+"/open", nil, 0, "X-Portreeve-Subject", "root", "X_Portreeve_Subject", "root").echoed(t)
		for name, want := range map[string]string{"X-Forwarded-For": client, "X-Forwarded-Host": "a.example.com", "X-Portreeve-Subject": "",
			"X-Forwarded-Proto": map[bool]string{true: "http", false: "https"}[way == "trusted"]} {
			if h := strings.Join(got.Header(name), " "); h != want && !(name == "X-Forwarded-For" && strings.HasPrefix(h, want)) {
				t.Errorf("%s: the application got %s %q, want %q", way, name, h, want)
			}
		}
		if a := send(t, c, "POST", base+"/closed", large[:100_000], 100_000); a.Status != 401 {
			t.Errorf("%s: without credential: %d", way, a.Status)
		}
		for what, body := range map[string][]byte{"empty": nil, "small": []byte("x"), "large": large} {
			for _, length := range []int64{int64(len(body)), -1} {
				var expect []string
				if len(body) > 1 {
					expect = []string{"Expect", "100-continue"}
				}
				a := send(t, c, "POST", base+"/closed", body, length, append(expect, "Authorization", token)...)
				if r := a.echoed(t); r.Body.SHA256 != sum(body) || strings.Join(r.Header("X-Portreeve-Subject"), " ") != "amy" || len(r.Header("Authorization")) > 0 {
					t.Errorf("%s: a %s body came as %+v", way, what, r.Body)
				}
			}
		}
		if a := send(t, c, "HEAD", base+"/files/large", nil, 0); a.Status != 200 || a.Header.Get("Content-Length") != strconv.Itoa(len(large)) {
			t.Errorf("%s: HEAD: %d %v", way, a.Status, a.Header)
		}
		a := send(t, c, "GET", base+"/files/large", nil, 0)
		if a.Body != string(large) {
			t.Errorf("%s: %d bytes of %d", way, len(a.Body), len(large))
		}
		if b := send(t, c, "GET", base+"/files/large", nil, 0, "If-None-Match", a.Header.Get("Etag")); b.Status != 304 || b.Body != "" {
			t.Errorf("%s: unchanged: %d", way, b.Status)
		}
		if b := send(t, c, "GET", base+"/files/large", nil, 0, "Range", "bytes=5-9"); b.Status != 206 || b.Body != string(large[5:10]) {
			t.Errorf("%s: a range: %d", way, b.Status)
		}
		if b := send(t, c, "GET", base+"/files/zip/large", nil, 0, "Accept-Encoding", "gzip"); b.Status != 200 || len(b.Body) == 0 {
			t.Errorf("%s: chunks: %d", way, b.Status)
		}
	}
}
