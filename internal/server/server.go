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

// Server owns the listeners. It is made once; what it serves, where and within
// which bounds changes by reload.
type Server struct {
	Engine    http.Handler // answers what passed the head check
	Public    Doors
	Conn      func() *std.ConnOptions // of a new public connection
	Probes    Doors
	ProbesMux http.Handler
	Admin     net.Listener // nil: none
	AdminMux  http.Handler
	// Drain is asked when the server is told to stop: how long it still takes
	// requests, and how long those in flight may then take.
	Drain func() (delay, bound time.Duration)
	Log   *slog.Logger

	draining atomic.Bool
}

// errCutOff says that stopping was not clean.
var errCutOff = errors.New("requests were still in flight when the drain time was over; they were cut off")

// Draining reports whether the server has been told to stop.
func (s *Server) Draining() bool { return s.draining.Load() }

// Run serves until ctx ends or a listener fails, then drains: readiness fails,
// requests are still taken for a while, then connections are told to close and
// what is in flight may take its time. A nil error means that nothing was cut
// off.
func (s *Server) Run(ctx context.Context) error {
	quiet := slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug)
	public := &http.Server{Handler: s.Engine, ErrorLog: quiet, IdleTimeout: 2 * time.Minute}
	std.Prepare(public, *s.Conn())
	aside := func(h http.Handler) *http.Server {
		return &http.Server{Handler: h, ErrorLog: quiet, ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	}
	probes, admin := aside(s.ProbesMux), aside(s.AdminMux)

	failed := make(chan error, 1)
	var wg sync.WaitGroup
	serve := func(srv *http.Server, l net.Listener) {
		wg.Go(func() {
			err := srv.Serve(l)
			if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) { // a door that Set closed
				return
			}
			select {
			case failed <- err:
			default:
			}
		})
	}
	var places std.Places
	s.Public.begin(func(l net.Listener) { serve(public, std.ListenWith(l, &places, s.Conn)) })
	s.Probes.begin(func(l net.Listener) { serve(probes, l) })
	if s.Admin != nil {
		serve(admin, s.Admin)
	}

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	err = errors.Join(err, s.drain(public, failed, err == nil))
	_ = admin.Close()
	s.Probes.Close()
	_ = probes.Close()
	wg.Wait()
	return err
}

// drain stops taking requests and waits for those in flight. While it still
// takes them, a listener that fails ends the waiting.
func (s *Server) drain(public *http.Server, failed <-chan error, wait bool) (err error) {
	s.draining.Store(true)
	delay, bound := s.Drain()
	if wait && delay > 0 {
		s.Log.Info("stopping: still taking requests", "for", delay.String())
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case err = <-failed:
			timer.Stop()
		}
	}
	public.SetKeepAlivesEnabled(false)
	s.Public.Close()
	bounded, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	if st, ok := s.Engine.(streams); ok {
		st.Goodbye()
		defer st.Wait(bounded)
		defer time.AfterFunc(bound-min(bound/4, 2*time.Second), st.EndStreams).Stop()
	}
	if errors.Is(public.Shutdown(bounded), context.DeadlineExceeded) {
		err = errors.Join(err, errCutOff)
		_ = public.Close()
	}
	return err
}

// streams are exchanges that have no end of their own.
type streams interface {
	Goodbye()    // to WebSockets, at once
	EndStreams() // the others, shortly before the drain is over
	Wait(context.Context)
}
