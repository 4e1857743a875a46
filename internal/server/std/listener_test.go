package std

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestConnectionsPerAddressAreBounded(t *testing.T) {
	t.Parallel()
	var excess, exempt atomic.Int64
	s := &site{}
	addr := serve(t, s, ConnOptions{
		PerIP:  2,
		Exempt: func(a netip.Addr) bool { return a.IsLoopback() && exempt.Load() > 0 },
		Excess: func(netip.Addr) { excess.Add(1) },
	})
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	served := func() (net.Conn, bool) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, get)
		_, err = c.Read(make([]byte, 1000))
		return c, err == nil
	}
	a, okA := served()
	b, okB := served()
	c, okC := served()
	if !okA || !okB || okC || excess.Load() != 1 {
		t.Fatalf("got %v %v %v, %d excess", okA, okB, okC, excess.Load())
	}
	_ = c.Close()
	_ = a.Close()
	for { // the server notices the end in its own time
		d, ok := served()
		defer d.Close()
		if ok {
			break
		}
	}
	exempt.Store(1)
	for range 4 {
		d, ok := served()
		defer d.Close()
		if !ok {
			t.Error("an exempt peer was turned away")
		}
	}
	_ = b.Close()
}

func TestListenersShareTheirPlaces(t *testing.T) {
	t.Parallel()
	var places Places
	o := &ConnOptions{PerIP: 1}
	var addrs []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ConnFrom(r.Context()).Next() })}
		Prepare(srv, *o)
		go func() { _ = srv.Serve(ListenWith(l, &places, func() *ConnOptions { return o })) }()
		t.Cleanup(func() { _ = srv.Close() })
		addrs = append(addrs, l.Addr().String())
	}
	served := func(addr string) bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		_, err = c.Read(make([]byte, 1000))
		return err == nil
	}
	if first, second := served(addrs[0]), served(addrs[1]); !first || second {
		t.Errorf("one place for both: the first got %t, the second %t", first, second)
	}
}

func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	var places Places
	admit := func(a string) (func(), bool) { return places.take(netip.MustParseAddr(a), 1, nil) }
	free4, ok4 := admit("192.0.2.1")
	_, again := admit("192.0.2.1")
	_, other := admit("192.0.2.2")
	free6, ok6 := admit("2001:db8::1")
	_, sameNet := admit("2001:db8::ffff")
	_, otherNet := admit("2001:db8:0:1::1")
	if !ok4 || again || !other || !ok6 || sameNet || !otherNet {
		t.Errorf("got %v %v %v %v %v %v", ok4, again, other, ok6, sameNet, otherNet)
	}
	free4()
	free6()
	if _, ok := admit("192.0.2.1"); !ok {
		t.Error("the IPv4 place was not given back")
	}
	if _, ok := admit("2001:db8::2"); !ok {
		t.Error("the IPv6 place was not given back")
	}
	if _, ok := places.take(netip.Addr{}, 1, nil); !ok {
		t.Error("a unix socket has no address to count")
	}
}
