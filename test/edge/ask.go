package edge

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Answer is what a client got.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Ask sends a request. fields are "Name: value", in their own spelling.
func (e *Edge) Ask(t testing.TB, method, path, body string, fields ...string) Answer {
	t.Helper()
	a, err := e.Try(t.Context(), method, path, body, fields...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// Try is Ask where the exchange itself may fail.
func (e *Edge) Try(ctx context.Context, method, path, body string, fields ...string) (a Answer, err error) {
	req, err := http.NewRequestWithContext(ctx, method, e.URL+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header[name] = append(req.Header[name], value)
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	return Answer{res.StatusCode, res.Header, string(raw)}, err
}

var client = &http.Client{
	Timeout:       60 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Decode reads an answer's JSON.
func Decode[T any](t testing.TB, a Answer) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Fatalf("answer %d is not the JSON that was expected: %v\n%s", a.Status, err, a.Body)
	}
	return v
}

// Bearer is the header of a token.
func Bearer(token string) string { return "Authorization: Bearer " + token }

// Key is the header of an API key.
func Key(key string) string { return "X-Api-Key: " + key }
