package std

import (
	"bufio"
	"context"
	"errors"
	"net"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/portreeve/portreeve/internal/client"
)

// readSpoken reads the PROXY header that a trusted proxy's connection begins
// with, version 1 or 2 (at most 107 bytes, or 4 KiB), and takes a place for the
// client that it names.
func (g *greeting) readSpoken(ctx context.Context) error {
	by, _ := ctx.Deadline()
	_ = g.conn.SetReadDeadline(by)
	ahead := bufio.NewReaderSize(g.conn.Conn, bufferSize)
	h, err := proxyproto.Read(ahead)
	if err != nil {
		if g.o.Unproxied != nil {
			g.o.Unproxied(g.peer.Addr(), err)
		}
		return err
	}
	_ = g.conn.SetReadDeadline(time.Time{})
	if g.conn.spoken = spokenBy(h); ahead.Buffered() > 0 {
		g.conn.ahead = ahead
	}
	free, ok := g.pump.places.take(g.conn.spoken.Client, g.o.PerIP, g.o.Exempt)
	if !ok {
		return errTooMany
	}
	g.conn.free = append(g.conn.free, free)
	if g.o.TLS != nil && !g.takeFor(g.conn.spoken.Client) {
		return errTooMany
	}
	return nil
}

var errTooMany = errors.New("too many connections of one address")

// spokenBy is what a header comes to. Only a TCP client has an address that
// means anything here.
func spokenBy(h *proxyproto.Header) client.Spoken {
	s := client.Spoken{Here: true, Local: h.Version == 2 && h.Command == proxyproto.LOCAL}
	if s.Local {
		return s
	}
	if from, ok := h.SourceAddr.(*net.TCPAddr); ok && h.TransportProtocol.IsStream() {
		if a := from.AddrPort().Addr().Unmap().WithZone(""); !a.IsUnspecified() {
			s.Client = a
		}
	}
	if list, err := h.TLVs(); err == nil {
		if tls, ok := tlvparse.FindSSL(list); ok {
			if s.Scheme = "http"; tls.ClientSSL() {
				s.Scheme = "https"
			}
		}
	}
	return s
}
