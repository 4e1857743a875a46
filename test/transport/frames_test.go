package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is an HTTP/2 client that says whatever it is told to.
type frames struct {
	t    testing.TB
	conn net.Conn
	fr   *http2.Framer
	enc  *hpack.Encoder
	buf  bytes.Buffer
	next uint32 // the next stream
	// Settings are the server's.
	Settings map[http2.SettingID]uint32
}

// dialFrames connects, sends the preface and reads the server's settings.
func dialFrames(t testing.TB, addr string, settings ...http2.Setting) *frames {
	t.Helper()
	f, err := tryFrames(t, addr, settings...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tryFrames(t testing.TB, addr string, settings ...http2.Setting) (*frames, error) {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", addr,
		&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, ServerName: "a.example.com"})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	f := &frames{t: t, conn: c, fr: http2.NewFramer(c, c), next: 1, Settings: map[http2.SettingID]uint32{}}
	f.enc = hpack.NewEncoder(&f.buf)
	f.fr.AllowIllegalWrites = true
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return nil, err
	}
	if err := f.fr.WriteSettings(settings...); err != nil {
		return nil, err
	}
	for {
		fr, err := f.fr.ReadFrame()
		if err != nil {
			return nil, err
		}
		if s, ok := fr.(*http2.SettingsFrame); ok && !s.IsAck() {
			_ = s.ForeachSetting(func(s http2.Setting) error { f.Settings[s.ID] = s.Val; return nil })
			return f, f.fr.WriteSettingsAck()
		}
	}
}

// field is one header field, sent as it stands.
type field struct{ name, value string }

// block encodes fields in their order.
func (f *frames) block(fields ...field) []byte {
	f.buf.Reset()
	for _, h := range fields {
		_ = f.enc.WriteField(hpack.HeaderField{Name: h.name, Value: h.value})
	}
	return bytes.Clone(f.buf.Bytes())
}

// request opens a stream with a header block, and ends it unless a body follows.
func (f *frames) request(body bool, fields ...field) (stream uint32) {
	stream = f.next
	f.next += 2
	_ = f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.block(fields...), EndStream: !body, EndHeaders: true})
	return stream
}

// get is the pseudo-header of a plain request, with fields behind it.
func get(path string, more ...field) []field {
	return append([]field{{":method", "GET"}, {":scheme", "https"}, {":authority", "a.example.com"}, {":path", path}}, more...)
}

// outcome is how a stream ended.
type outcome struct {
	Status string // of the answer; "" if there was none
	Body   string
	Reset  http2.ErrCode // of the stream; 0 if it was not reset
	Away   http2.ErrCode // of the connection
	Gone   bool          // the connection ended
}

// Refused reports whether the request got no answer that one might take for a
// success.
func (o outcome) Refused() bool { return o.Status == "" || o.Status >= "400" }

func (o outcome) String() string {
	return fmt.Sprintf("status %s, reset %v, away %v, gone %t", o.Status, o.Reset, o.Away, o.Gone)
}

// wait reads until the stream has ended. Frames of other streams are dropped.
func (f *frames) wait(stream uint32) (o outcome) {
	dec := hpack.NewDecoder(4096, func(h hpack.HeaderField) {
		if h.Name == ":status" {
			o.Status = h.Value
		}
	})
	var body strings.Builder
	defer func() { o.Body = body.String() }()
	for {
		fr, err := f.fr.ReadFrame()
		if err != nil {
			o.Gone = true
			if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
				f.t.Errorf("stream %d did not end", stream)
			}
			return o
		}
		switch fr := fr.(type) {
		case *http2.GoAwayFrame:
			o.Away = fr.ErrCode
		case *http2.PingFrame:
			if !fr.IsAck() {
				_ = f.fr.WritePing(true, fr.Data)
			}
		case *http2.SettingsFrame:
			if !fr.IsAck() {
				_ = f.fr.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			_, _ = dec.Write(fr.HeaderBlockFragment()) // one table for all streams
			if fr.StreamID == stream && fr.StreamEnded() {
				return o
			}
		case *http2.DataFrame:
			_ = f.fr.WriteWindowUpdate(0, max(1, uint32(len(fr.Data()))))
			if fr.StreamID != stream {
				continue
			}
			body.Write(fr.Data())
			if fr.StreamEnded() {
				return o
			}
			_ = f.fr.WriteWindowUpdate(stream, max(1, uint32(len(fr.Data()))))
		case *http2.RSTStreamFrame:
			if fr.StreamID == stream {
				o.Reset = fr.ErrCode
				return o
			}
		}
	}
}
