package std

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stalling is a machine that does nothing for a second whenever a deadline was
// set.
type stalling struct{ http.ResponseWriter }

func (s stalling) SetReadDeadline(t time.Time) error {
	err := http.NewResponseController(s.ResponseWriter).SetReadDeadline(t)
	time.Sleep(time.Second)
	return err
}

// net/http takes a deadline that passes behind a body for a client that is gone,
// and tells so every request that follows on the connection.
func TestABusyMachineDoesNotTakeClientsForGone(t *testing.T) {
	t.Parallel()
	const head = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
	for _, c := range []struct {
		name   string
		first  string
		reads  int64 // of the body, by the handler
		answer []int
	}{
		{"read wholly", head + "\r\nabc", 10, []int{200, 200, 408}},
		{"read in part", head + "\r\nabc", 2, []int{200, 200, 408}},
		{"not read", head + "\r\nabc", 0, []int{200, 200, 408}},
		{"not here", head + "\r\nab", 0, []int{413}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &site{}
				gone := 0
				s.inner = func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.CopyN(io.Discard, r.Body, c.reads)
					if !bodyIsHere(stalling{w}, r) {
						w.Header().Set("Connection", "close")
						w.WriteHeader(http.StatusRequestEntityTooLarge)
						return
					}
					synctest.Wait()
					if r.Context().Err() != nil {
						gone++
					}
				}
				conn := dial(t, s, time.Minute)
				var client sync.WaitGroup
				client.Go(func() {
					_, _ = io.WriteString(conn, c.first)
					time.Sleep(10 * time.Second)
					_, _ = io.WriteString(conn, "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"+last[:20])
				})
				defer client.Wait()
				defer conn.Close()
				if diff := cmp.Diff(c.answer, statuses(answers(t, conn))); diff != "" || gone > 0 {
					t.Errorf("%d were taken for gone; %s", gone, diff)
				}
			})
		})
	}
}

// Nothing heals a connection whose context has ended while its client is there.
func TestAConnectionThatNetHTTPGaveUpIsClosed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "127.0.0.1:1")
	c := &http.Client{Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	srv := &http.Server{Handler: h.engine, BaseContext: func(net.Listener) context.Context { return over }}
	Prepare(srv, ConnOptions{})
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(Listen(l, ConnOptions{})) }()
	defer func() { _ = srv.Close(); <-done }()
	res, err := c.Get("http://" + l.Addr().String() + "/none")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if !res.Close {
		t.Errorf("%s, and the connection stays", res.Status)
	}
}
