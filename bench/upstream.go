package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Paths of the Go upstream, which does what the nginx one cannot.
const (
	echoPath   = "/bench/echo"   // WebSocket
	uploadPath = "/bench/upload" // reads the body and says how long it was
	eventsPath = "/bench/events" // server-sent events, one every 50 ms, twenty of them
	helloPath  = "/bench/hello"
)

// upstreamProgram serves those paths until ctx ends.
func upstreamProgram(ctx context.Context, address string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+echoPath, serveEcho)
	mux.HandleFunc("POST "+uploadPath, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			_, _ = fmt.Fprint(w, n)
		}
	})
	mux.HandleFunc("GET "+eventsPath, serveEvents)
	mux.HandleFunc("GET "+helloPath, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	s := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return serveUntil(ctx, s, s.ListenAndServe)
}

// serveUntil serves until ctx ends.
func serveUntil(ctx context.Context, s *http.Server, serve func() error) error {
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := serve(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range eventCount {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// eventCount is how many events one stream has.
const eventCount = 20

// serveEcho sends every message back.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Sec-WebSocket-Key") != handshakeKey {
		http.Error(w, "not the handshake of this benchmark", http.StatusBadRequest)
		return
	}
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+handshakeAnswer+"\r\n\r\n")
	in, b := bufio.NewReader(rw), make([]byte, 4+frameBytes)
	for err == nil {
		var payload []byte
		if payload, err = readFrame(in, b[4:]); err == nil {
			copy(b, []byte{0x82, 126, 0, byte(len(payload))})
			_, err = c.Write(b[:4+len(payload)])
		}
	}
}
