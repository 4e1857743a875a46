package demo

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// answer is what came of a request of the demo's own.
type answer struct {
	*http.Response
	body []byte
}

// ask makes a request as the tour's lines do. head is one line of the head. Names
// under localhost are this machine whatever its resolver says (RFC 6761 section 6.3).
func (d *Demo) ask(method, to, head, body string) (*answer, error) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	host := u.Host
	u.Host = strings.TrimPrefix(d.URL, "http://")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Host = host
	name, value, _ := strings.Cut(strings.TrimSpace(head), ": ")
	req.Header.Set(name, value)
	switch {
	case strings.HasPrefix(body, "{"):
		req.Header.Set("Content-Type", "application/json")
	case body != "":
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return &answer{resp, raw}, err
}

// read is a file of the folder.
func (d *Demo) read(name string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(d.Dir, name))
	return string(raw), err
}
