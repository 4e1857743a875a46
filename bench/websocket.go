package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// frameBytes is the size of a WebSocket message.
const frameBytes = 128

// handshakeKey and its answer are those of RFC 6455 section 1.3.
const (
	handshakeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	handshakeAnswer = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// socket is one WebSocket. It knows what an echo needs: whole binary messages
// below 64 KiB, nothing else (RFC 6455 section 5).
type socket struct {
	net.Conn
	in *bufio.Reader
}

// openSocket shakes hands. config nil means plain HTTP.
func openSocket(address, path, token string, config *tls.Config) (*socket, error) {
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	if config != nil {
		c = tls.Client(c, config)
	}
	s := &socket{Conn: c, in: bufio.NewReader(c)}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", path, address, token, handshakeKey)
	var res *http.Response
	if err == nil {
		res, err = http.ReadResponse(s.in, nil)
	}
	if err == nil && (res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != handshakeAnswer) {
		err = fmt.Errorf("the handshake was answered %s", res.Status)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return s, nil
}

// echo sends one message and waits for it. message is a whole frame, made by
// masked.
func (s *socket) echo(message, into []byte) error {
	_ = s.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := s.Write(message); err != nil {
		return err
	}
	payload, err := readFrame(s.in, into)
	if err == nil && len(payload) != frameBytes {
		err = fmt.Errorf("an echo of %d bytes", len(payload))
	}
	return err
}

// masked is a message of frameBytes as a client sends it. The mask is zero: it
// protects old proxies, of which there are none here.
func masked() []byte {
	return append([]byte{0x82, 0x80 | 126, 0, frameBytes, 0, 0, 0, 0}, make([]byte, frameBytes)...)
}

// readFrame reads one frame's payload into b, unmasked.
func readFrame(in *bufio.Reader, b []byte) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:2]); err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 {
		return nil, io.EOF
	}
	n, isMasked := int(head[1]&0x7f), head[1]&0x80 != 0
	if n == 126 {
		if _, err := io.ReadFull(in, head[:2]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint16(head[:2]))
	}
	if n > len(b) {
		return nil, errors.New("a frame too large")
	}
	var mask [4]byte
	if isMasked {
		if _, err := io.ReadFull(in, mask[:]); err != nil {
			return nil, err
		}
	}
	if _, err := io.ReadFull(in, b[:n]); err != nil {
		return nil, err
	}
	for i := range b[:n] {
		b[i] ^= mask[i&3]
	}
	return b[:n], nil
}

// bySockets holds that many WebSockets open and echoes on each, one message at
// a time. The rate counts messages there and back.
func bySockets(ctx context.Context, s *scenario, connections int, length time.Duration) (load, error) {
	token, err := firstToken(s.file)
	if err != nil {
		return load{}, err
	}
	open := make([]*socket, connections)
	defer func() {
		for _, c := range open {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	for i := range open {
		if open[i], err = openSocket(s.target.address, s.path, token, nil); err != nil {
			return load{}, err
		}
	}
	took, errs := make([][]float64, connections), make([]error, connections)
	began := time.Now()
	until := began.Add(length)
	var all sync.WaitGroup
	for i, c := range open {
		all.Go(func() {
			message, into := masked(), make([]byte, frameBytes)
			for now := time.Now(); now.Before(until) && ctx.Err() == nil; {
				if errs[i] = c.echo(message, into); errs[i] != nil {
					return
				}
				then := time.Now()
				took[i], now = append(took[i], float64(then.Sub(now))/float64(time.Millisecond)), then
			}
		})
	}
	all.Wait()
	l := load{Seconds: time.Since(began).Seconds()}
	var every []float64
	for i := range took {
		every = append(every, took[i]...)
		if errs[i] != nil {
			l.Errors++
		}
	}
	l.Requests = len(every)
	l.P50, l.P99 = percentiles(every)
	return l, errors.Join(errs...)
}
