package std

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var patient = ConnOptions{HeadTimeout: 10 * time.Second, BodyIdle: 30 * time.Second}

// dial runs the site on one end of a pipe, inside a synctest bubble, and
// returns the other.
func dial(t *testing.T, s *site, idle time.Duration) net.Conn {
	client, server := net.Pipe()
	l := newOneConn(server)
	srv := &http.Server{Handler: s, IdleTimeout: idle}
	Prepare(srv, patient)
	var done sync.WaitGroup
	done.Go(func() { _ = srv.Serve(Listen(l, patient)) })
	t.Cleanup(func() {
		_ = client.Close()
		_ = srv.Close()
		done.Wait()
	})
	return client
}

// drip writes s one byte every gap and stops when the server has enough.
func drip(c net.Conn, s string, gap time.Duration) {
	for i := range s {
		if i > 0 {
			time.Sleep(gap)
		}
		if _, err := io.WriteString(c, s[i:i+1]); err != nil {
			return
		}
	}
}

func TestSlowClients(t *testing.T) {
	t.Parallel()
	const get = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, c := range []struct {
		name   string
		idle   time.Duration
		client func(net.Conn)
		want   []int
		after  time.Duration // when the connection ends
	}{
		{"nothing at all", 0, func(net.Conn) {}, nil, 10 * time.Second},
		{"half a head", 0, func(c net.Conn) { drip(c, get[:9], 0) }, []int{408}, 10 * time.Second},
		{"a byte every second", 0, func(c net.Conn) { drip(c, get, time.Second) }, []int{408}, 10 * time.Second},
		{"half a second head", 0, func(c net.Conn) {
			drip(c, get, 0)
			time.Sleep(time.Hour)
			drip(c, get[:9], 0)
		}, []int{200, 408}, time.Hour + 10*time.Second},
		{"nothing after a request", time.Minute, func(c net.Conn) { drip(c, get, 0) }, []int{200}, time.Minute},
		{"a head that begins when idleness nearly ends", time.Minute, func(c net.Conn) {
			drip(c, get, 0)
			time.Sleep(time.Minute - time.Second)
			drip(c, get[:9], 0)
			time.Sleep(9 * time.Second)
			drip(c, get[9:], 0)
		}, []int{200, 200}, 2*time.Minute + 8*time.Second},
		{"half a body", 0, func(c net.Conn) {
			drip(c, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", 0)
		}, []int{400}, 30 * time.Second},
		{"half a chunk", 0, func(c net.Conn) {
			drip(c, "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", 0)
		}, []int{400}, 30 * time.Second},
		{"a body slow but alive", 0, func(c net.Conn) {
			drip(c, "POST /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n", 0)
			drip(c, "123456789", 29*time.Second)
		}, []int{200}, 8 * 29 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, start := &site{}, time.Now()
				conn := dial(t, s, c.idle)
				var client sync.WaitGroup
				client.Go(func() { c.client(conn) })
				defer client.Wait()
				defer conn.Close()
				if diff := cmp.Diff(c.want, statuses(answers(t, conn))); diff != "" {
					t.Error(diff)
				}
				if got := time.Since(start); got != c.after {
					t.Errorf("ended after %v, want %v", got, c.after)
				}
				for _, err := range s.faults {
					if !errors.Is(err, ErrBodyIdle) {
						t.Errorf("got fault %v", err)
					}
				}
				s.check(t)
			})
		})
	}
}

func TestASlowHandlerIsNotTheClientsFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := 0
		s := &site{}
		s.inner = func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
				broken++
			case <-time.After(time.Hour):
			}
		}
		conn := dial(t, s, time.Minute)
		go drip(conn, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"+last[:20], 0)
		got := statuses(answers(t, conn))
		if diff := cmp.Diff([]int{200, 200, 408}, got); diff != "" || broken > 0 {
			t.Error(diff, broken)
		}
	})
}

// Whoever asks and does not read holds a request's place: not for ever.
func TestClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	const get = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, c := range []struct {
		name   string
		read   func(net.Conn)
		outer  time.Duration // the handler's own deadline
		whole  bool
		within [2]time.Duration
	}{
		{"never", func(net.Conn) {}, 0, false, [2]time.Duration{30 * time.Second, 33 * time.Second}},
		{"a little every 20 s", func(c net.Conn) {
			for b := make([]byte, 4<<10); ; time.Sleep(20 * time.Second) {
				if _, err := c.Read(b); err != nil {
					return
				}
			}
		}, 0, true, [2]time.Duration{60 * time.Second, 10 * time.Minute}},
		{"never, and the handler waits longer", func(net.Conn) {}, 5 * time.Minute, false, [2]time.Duration{5 * time.Minute, 5*time.Minute + time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				s := &site{inner: func(w http.ResponseWriter, _ *http.Request) {
					if c.outer > 0 {
						_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.outer))
					}
					_, err := w.Write(make([]byte, 32<<10))
					ended <- err
				}}
				conn, start := dial(t, s, 0), time.Now()
				if _, err := io.WriteString(conn, get); err != nil {
					t.Fatal(err)
				}
				var reading sync.WaitGroup
				reading.Go(func() { c.read(conn) })
				err := <-ended
				if took := time.Since(start); (err == nil) != c.whole || took < c.within[0] || took > c.within[1] {
					t.Errorf("the handler's write ended after %v with %v", took, err)
				}
				_ = conn.Close()
				reading.Wait()
			})
		})
	}
}
