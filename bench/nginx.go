package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	answerBytes = 128     // of the upstream's answer
	largeBytes  = 1 << 20 // of a large body
)

const nginxCommon = `daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
worker_processes %[2]s;
worker_rlimit_nofile 65536;
events { worker_connections 32768; }
http {
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[3]s
}
`

// nginxUpstream answers every request with 128 bytes, on one path with what it
// was told of the caller, and on one with 1 MiB.
func (h *house) nginxUpstream() (address string, err error) {
	if address, err = freeAddress(); err != nil {
		return "", err
	}
	large := filepath.Join(h.dir, "large")
	if err := os.WriteFile(large, bytes.Repeat([]byte("x"), largeBytes), 0o644); err != nil {
		return "", err
	}
	if err := os.Chmod(h.dir, 0o755); err != nil { // nginx's workers are nobody
		return "", err
	}
	body := strings.Repeat("x", answerBytes)
	_, _, err = h.nginx("upstream", "1", address, fmt.Sprintf(
		"  server { listen %s backlog=4096; default_type text/plain; location / { return 200 %q; }\n"+
			`    location = %s { alias %s; }`+"\n"+
			`    location = %s { return 200 "$http_x_portreeve_subject|$http_authorization"; } }`, address, body, largePath, large, whoPath))
	return address, err
}

// nginxPlain proxies over kept connections and does nothing else: the floor.
// over is the text of its listen directive behind the address.
func (h *house) nginxPlain(name, over string) (target, error) {
	address, err := freeAddress()
	if err != nil {
		return target{}, err
	}
	tls := ""
	if over != "" {
		tls = fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.3;", h.tls.cert, h.tls.key)
	}
	p, took, err := h.nginx(name, "auto", address, fmt.Sprintf(`  upstream app { server %[1]s; keepalive 512; keepalive_requests 1000000000; }
  upstream other { server %[2]s; keepalive 512; keepalive_requests 1000000000; }
  server { listen %[3]s backlog=16384 %[4]s; %[5]s
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; proxy_max_temp_file_size 0;
    location / { proxy_pass http://app; }
    location = %[6]s { proxy_pass http://other; }
    location = %[7]s { proxy_pass http://other; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } }`,
		h.upstream, h.other, address, over, tls, uploadPath, echoPath))
	return target{process: p, address: address, secure: over != "", ready: took, idle: memoryOf(p)}, err
}

func (h *house) nginx(name, workers, address, servers string) (*process, time.Duration, error) {
	dir := filepath.Join(h.dir, "nginx-"+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, 0, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxCommon, dir, workers, servers), 0o600); err != nil {
		return nil, 0, err
	}
	return h.start("nginx "+name, address, "nginx", "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
}

func memoryOf(p *process) float64 {
	if p == nil {
		return 0
	}
	return p.memory()
}
