package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// answerBytes is the size of the upstream's answer.
const answerBytes = 128

const nginxCommon = `daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
worker_processes %[2]s;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[3]s
}
`

// nginxUpstream answers every request with 128 bytes, and on one path with what
// it was told of the caller.
func (h *house) nginxUpstream() (address string, err error) {
	if address, err = freeAddress(); err != nil {
		return "", err
	}
	body := strings.Repeat("x", answerBytes)
	_, _, err = h.nginx("upstream", "1", address, fmt.Sprintf(
		"  server { listen %s backlog=4096; default_type text/plain; location / { return 200 %q; }\n"+
			`    location = %s { return 200 "$http_x_portreeve_subject|$http_authorization"; } }`, address, body, whoPath))
	return address, err
}

// nginxPlain proxies to upstream over kept connections and does nothing else:
// the floor.
func (h *house) nginxPlain(upstream string) (target, error) {
	address, err := freeAddress()
	if err != nil {
		return target{}, err
	}
	p, took, err := h.nginx("plain", "auto", address, fmt.Sprintf(`  upstream app { server %s; keepalive 512; keepalive_requests 1000000000; }
  server { listen %s backlog=4096; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; } }`, upstream, address))
	return target{process: p, address: address, ready: took, idle: memoryOf(p)}, err
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
