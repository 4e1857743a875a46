package login_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/portreeve/portreeve/test/edge"
)

// try is one exchange with a site of the world.
func (w *world) try(t testing.TB, host, method, path, body string, fields ...string) (edge.Answer, error) {
	t.Helper()
	return exchange(t, w.URL, host, method, path, body, fields...)
}

func exchange(t testing.TB, origin, host, method, path, body string, fields ...string) (a edge.Answer, err error) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, origin+path, reader)
	if err != nil {
		return a, err
	}
	if host != "" {
		req.Host = host
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Add(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return edge.Answer{Status: res.StatusCode, Header: res.Header, Body: string(raw)}, err
}
