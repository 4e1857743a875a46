package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portreeve/portreeve/internal/server/std"
)

// Server owns the listeners. It is made once; what it serves changes by reload
// behind the handlers.
type Server struct {
	Engine     http.Handler // answers what passed the head check
	Public     []net.Listener
	Conn       std.ConnOptions
	Probes     net.Listener // nil: none
	ProbesMux  http.Handler
	Admin      net.Listener // nil: none
	AdminMux   http.Handler
	Drain      time.Duration
	DrainDelay time.Duration
	Log        *slog.Logger

	draining atomic.Bool
}

// Draining reports whether the server has been told to stop.
func (s *Server) Draining() bool { return s.draining.Load() }

// Run serves until ctx ends, then drains: readiness fails, requests are still
// taken for DrainDelay, then connections are told to close and what is in
// flight may take up to Drain. A nil error means that nothing was cut off.
func (s *Server) Run(ctx context.Context) error {
	quiet := slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)
	public := &http.Server{Handler: s.Engine, ErrorLog: quiet, IdleTimeout: 2 * time.Minute}
	std.Prepare(public, s.Conn)
	aside := func(h http.Handler) *http.Server {
		return &http.Server{Handler: h, ErrorLog: quiet, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	}
	probes, admin := aside(s.ProbesMux), aside(s.AdminMux)

	failed := make(chan error, len(s.Public)+2)
	var wg sync.WaitGroup
	serve := func(srv *http.Server, l net.Listener) {
		wg.Go(func() {
			if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	for _, l := range s.Public {
		serve(public, std.Listen(l, s.Conn))
	}
	if s.Probes != nil {
		serve(probes, s.Probes)
	}
	if s.Admin != nil {
		serve(admin, s.Admin)
	}

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.draining.Store(true)
	if err == nil && s.DrainDelay > 0 {
		s.Log.Info("stopping: still taking requests", "for", s.DrainDelay.String())
		time.Sleep(s.DrainDelay)
	}
	public.SetKeepAlivesEnabled(false)
	bounded, cancel := context.WithTimeout(context.Background(), s.Drain)
	defer cancel()
	if e := public.Shutdown(bounded); e != nil {
		err = errors.Join(err, errors.New("requests were still in flight when the drain time was over; they were cut off"))
		_ = public.Close()
	}
	_ = admin.Close()
	_ = probes.Close()
	wg.Wait()
	return err
}
