package datadog

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/portreeve/portreeve/internal/outbound"
	"github.com/portreeve/portreeve/internal/request"
)

const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	warnEvery    = time.Minute
)

// send sends one batch, and reports whether the next may follow. A batch that the
// intake does not want is dropped: it would be refused again, and hold up all
// others.
func (s *Shipper) send(ctx context.Context, batch [][]byte) (goOn bool) {
	body, err := pack(batch)
	if err != nil {
		s.drop(batch, err)
		return true
	}
	answer, err := s.client.Do(ctx, outbound.Request{Method: http.MethodPost, Path: "/api/v2/logs", Body: body, Header: request.Header{
		{Name: "Content-Type", Value: "application/json"}, {Name: "Content-Encoding", Value: "gzip"},
		{Name: "DD-API-KEY", Value: s.c.APIKey.Reveal()}, {Name: "User-Agent", Value: "Portreeve/" + s.o.Version},
	}})
	switch {
	case err != nil && ctx.Err() != nil:
		s.back(batch)
		return false
	case err != nil:
		s.later(batch, why(err))
		return false
	case answer.Status >= 200 && answer.Status < 300:
		s.pause = 0
		s.o.Totals.Sent.Add(int64(len(batch)))
		return true
	case answer.Status == 408, answer.Status == 429, answer.Status >= 500:
		s.later(batch, fmt.Errorf("the intake answered %d", answer.Status))
		return false
	}
	s.drop(batch, fmt.Errorf("the intake answered %d, which trying again does not help", answer.Status))
	return true
}

// why is an error without what an answer may have held.
func why(err error) error {
	var e *outbound.Error
	if errors.As(err, &e) {
		return fmt.Errorf("the intake at %s: %s", e.Host, e.Why)
	}
	return err
}

func (s *Shipper) later(batch [][]byte, err error) {
	s.pause = min(max(2*s.pause, firstPause), longestPause)
	s.back(batch)
	s.warn("log entries wait: they could not be sent to Datadog", err)
}

func (s *Shipper) drop(batch [][]byte, err error) {
	s.o.Totals.Dropped.Add(int64(len(batch)))
	s.warn("log entries were dropped: Datadog does not take them", err)
}

// warn says so at most once a minute.
func (s *Shipper) warn(what string, err error) {
	if now := time.Now(); s.warned.IsZero() || now.Sub(s.warned) >= warnEvery {
		s.warned = now
		s.o.Log.Warn(what, "error", err.Error())
	}
}

// pack is a batch as a compressed JSON array.
func pack(batch [][]byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write([]byte{'['}) // a buffer takes everything, and Close would say
	_, _ = w.Write(bytes.Join(batch, []byte{','}))
	_, _ = w.Write([]byte{']'})
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
