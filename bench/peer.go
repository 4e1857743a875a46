package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// peerProgram is Go's own bare reverse proxy, with nothing added but a pool of
// connections as large as the load needs: what TLS and HTTP/2 of the standard
// library cost by themselves.
func peerProgram(ctx context.Context, address, upstream, cert, key string) error {
	to := &url.URL{Scheme: "http", Host: upstream}
	h := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 512, MaxIdleConns: 512, IdleConnTimeout: time.Minute, DisableCompression: true},
	}
	s := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second}
	if cert == "" {
		return serveUntil(ctx, s, s.ListenAndServe)
	}
	s.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13}
	return serveUntil(ctx, s, func() error { return s.ListenAndServeTLS(cert, key) })
}
