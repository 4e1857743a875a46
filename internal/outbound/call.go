package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/portreeve/portreeve/internal/request"
)

// Request is one call.
type Request struct {
	Method string
	// Path is joined to the base's; it stands here as it goes over the wire: what
	// comes from outside is escaped by whoever puts it in (url.PathEscape).
	Path string
	// Query goes over the wire as it is, and so is escaped; without "?".
	Query  string
	Header request.Header
	Body   []byte // nil: none
	// Sign adds to a request that is finished what speaks for it; nil: nothing does.
	Sign func(r *http.Request, body []byte) error
}

// Answer is what the service said, whatever its status.
type Answer struct {
	Status int
	// Header is in the order of the names. A body that came compressed is not any
	// more, and its Content-Encoding and Content-Length are gone.
	Header request.Header
	Body   []byte
}

// Do makes a call. It follows no redirect: a 3xx is an answer like others. Every
// error is an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err, false)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := c.read(ctx, res)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: res.StatusCode, Header: fields(res.Header), Body: body}, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	fail := func(err error) (*http.Request, error) { return nil, &Error{Why: Refused, Host: c.base.Host, Err: err} }
	u := *c.base
	if r.Path != "" {
		if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "?#") || checkPath(r.Path) != nil {
			return fail(errors.New("the path of the call can be read in two ways"))
		}
		escaped := strings.TrimSuffix(u.EscapedPath(), "/") + r.Path
		plain, err := url.PathUnescape(escaped)
		if err != nil {
			return fail(errors.New("the path of the call is not well escaped"))
		}
		u.Path, u.RawPath = plain, escaped
	}
	if strings.ContainsFunc(r.Query, func(c rune) bool { return c <= ' ' || c == '#' || c >= 0x7f }) {
		return fail(errors.New("the query of the call is not escaped"))
	}
	u.RawQuery = r.Query
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), body)
	if err != nil {
		return fail(errors.New("the call is malformed")) // the error's text would hold the URL
	}
	req.Header.Set("User-Agent", "Portreeve")
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, "User-Agent") {
			req.Header.Set(f.Name, f.Value)
			continue
		}
		req.Header.Add(f.Name, f.Value)
	}
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if r.Sign != nil {
		if err := r.Sign(req, r.Body); err != nil {
			return fail(fmt.Errorf("sign the call: %w", err))
		}
	}
	return req, nil
}

// read reads an answer's body, as much of it as may be.
func (c *Client) read(ctx context.Context, res *http.Response) ([]byte, error) {
	from := io.Reader(res.Body)
	switch coding := res.Header.Values("Content-Encoding"); {
	case len(coding) == 0 || len(coding) == 1 && strings.EqualFold(coding[0], "identity"):
	case len(coding) == 1 && (strings.EqualFold(coding[0], "gzip") || strings.EqualFold(coding[0], "x-gzip")):
		packed := &quiet{from: res.Body, left: c.maxAnswer + packing}
		unpacked, err := gzip.NewReader(packed)
		if errors.Is(err, io.EOF) && packed.err == io.EOF {
			from = http.NoBody // nothing at all, which a 204 or a HEAD has
			break
		}
		if err != nil {
			if packed.err != nil && packed.err != io.EOF {
				err = packed.err
			}
			return nil, c.broken(ctx, err, true)
		}
		from = unpacked
	default:
		return nil, &Error{Why: Garbled, Host: c.base.Host, Err: errCoding}
	}
	body, err := io.ReadAll(io.LimitReader(from, c.maxAnswer+1))
	if err != nil && !errors.Is(err, errPacked) {
		return nil, c.broken(ctx, err, true)
	}
	if err != nil || int64(len(body)) > c.maxAnswer {
		return nil, &Error{Why: TooLarge, Host: c.base.Host, Err: fmt.Errorf("the answer is larger than %d bytes", c.maxAnswer)}
	}
	if from != io.Reader(res.Body) {
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
	}
	return body, nil
}

// packing is how much longer than what it holds a packed body may be. What is
// longer holds nothing for long stretches: empty members, of which there may be any
// number, or empty blocks.
const packing = 64 << 10

var errCoding = errors.New("the answer is encoded as nobody asked for")

var errPacked = errors.New("the answer is larger packed than it may be unpacked")

// quiet remembers why reading ended, which is at the latest after left bytes.
type quiet struct {
	from io.Reader
	left int64
	err  error
}

func (q *quiet) Read(p []byte) (int, error) {
	if q.left <= 0 && len(p) > 0 {
		q.err = errPacked
		return 0, errPacked
	}
	n, err := q.from.Read(p[:min(int64(len(p)), q.left)])
	q.left -= int64(n)
	if err != nil {
		q.err = err
	}
	return n, err
}
