package server

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/portreeve/portreeve/internal/park"
	"github.com/portreeve/portreeve/internal/principal"
)

// What writing down one request costs.
func BenchmarkAccessLog(b *testing.B) {
	l := &AccessLog{Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Key: []byte("k"), JSON: io.Discard}
	a := &Access{Time: time.Now(), RequestID: "AAAAAAAAAAAAAAAAAAAAAA", Site: "default", Route: "/items/:id", Method: "GET", Path: "/items/42",
		Status: 200, Bytes: 128, Duration: 1234 * time.Microsecond, Who: &principal.Principal{Subject: "user-1", Provider: "jwt"}, Client: "127.0.0.1"}
	b.ReportAllocs()
	for b.Loop() {
		l.Write(a)
	}
}

// What counting one request costs.
func BenchmarkMetrics(b *testing.B) {
	m := NewMetrics(func() park.Stats { return park.Stats{} }, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		m.Request("default", 200, time.Millisecond, "")
	}
}
