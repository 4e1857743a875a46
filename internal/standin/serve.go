package standin

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// site is what the stand-ins that speak through net/http share: a server with
// bounds, started at once and stopped by Close.
type site struct {
	url    string
	server *http.Server
	done   chan struct{}
}

// newSite names the site after the listener; serve starts it. They are two
// steps because the handlers know the site that they answer for.
func newSite(l net.Listener) *site {
	return &site{url: "http://" + l.Addr().String(), done: make(chan struct{})}
}

// serve answers on l until Close. The bounds keep a forgotten connection of a
// test from holding it up.
func (s *site) serve(l net.Listener, h http.Handler) {
	s.server = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // always http.ErrServerClosed or the listener's end
	}()
}

// URL is the site's origin, without a trailing slash.
func (s *site) URL() string { return s.url }

// Close ends the site: what is being answered gets a second to finish.
func (s *site) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = s.server.Close()
	}
	<-s.done
	return err
}

// reply writes v as JSON. Nothing that a stand-in says may be cached.
func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot encode the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a caller that went away has nothing to be told
}
